"""From a source to an accepted, split customer table."""
