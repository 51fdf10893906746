"""Deployment engine: serves a version on a target, and rolls back where it does not pass."""
