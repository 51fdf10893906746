"""Runs a pipeline on a stack: the request, its input, the run, and what it came to."""
