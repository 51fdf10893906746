"""Pipelines, one a file: wiring only. `runner.start` is the one way to start any of them."""
