"""Additive models: regressions whose terms are tables and curves."""
