"""Settings of the pipelines, and reading them."""
