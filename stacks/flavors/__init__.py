"""Our own stack components, where ZenML's are too old, too large, or missing."""
