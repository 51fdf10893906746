"""Revisions of decisions, approvals, deployments, changes and drift checks, which are kept for ever."""
