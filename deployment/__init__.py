"""Deployment targets: each puts the production version behind HTTP, and can take it back."""
