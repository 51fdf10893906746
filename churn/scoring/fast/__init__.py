"""Kernels that score one customer, or a few, without tables."""
