"""From a judged model to a version on the Model Control Plane."""
