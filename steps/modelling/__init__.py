"""From customers to a judged, tracked, reported model."""
