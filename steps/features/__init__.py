"""From an accepted table to the feature store."""
