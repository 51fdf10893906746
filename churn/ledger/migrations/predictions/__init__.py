"""Revisions of predictions and outcomes, which are kept by month."""
