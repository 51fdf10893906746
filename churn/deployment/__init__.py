"""Deployment: what is asked of a served version, what it came to, and how that is shown."""
