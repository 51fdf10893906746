"""The report on one training run, as a value and as a page."""
