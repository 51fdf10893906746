"""The scoring service over HTTP: `python -m service.api`. docs/service.md describes it."""
