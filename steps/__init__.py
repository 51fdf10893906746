"""ZenML steps, one a file by stage: unpack artifacts, call the domain, tell what was found."""
