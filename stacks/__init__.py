"""Stacks as code: one YAML file a stack, applied into the user's own ZenML configuration."""
