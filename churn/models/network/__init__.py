"""The tabular network."""
