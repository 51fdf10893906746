"""Columns a model sees: one encoding and one formula for every path."""
