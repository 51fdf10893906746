"""Deepchecks' tabular suites on the table, on its split, and on the model."""
