"""Randomised experiments: how many customers, who gets what, when to look, and what came of it."""
