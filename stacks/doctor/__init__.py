"""Looks at everything that a stack talks to; each finding has the line to run."""
