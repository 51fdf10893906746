"""Revisions of decisions, approvals, deployments and changes, which are kept for ever."""
