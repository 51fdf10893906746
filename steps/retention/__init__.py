"""Steps of the retention pipeline."""
