"""Candidates: recipes that learn who leaves, and what they become once fitted."""
