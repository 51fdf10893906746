"""Stacks as code: one YAML file for each stack, applied to the user's own ZenML configuration."""
