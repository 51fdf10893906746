"""Runs a pipeline on a stack: request, preflight, run, outcome; and the command line for it."""
