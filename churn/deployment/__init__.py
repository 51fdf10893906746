"""Deployment: settings, protocols, smoke test and record."""
