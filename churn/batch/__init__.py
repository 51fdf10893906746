"""Batch inference: every customer of a table scored once, whatever happens on the way.

A table is read in chunks. Each becomes one part of the output: rows that the contract refuses are
set aside, the others are scored. Parts are committed one by one, so a run that was killed goes on.
"""
