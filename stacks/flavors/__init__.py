"""Stack components of our own, where ZenML's are too old, too large, or not there."""
