"""Pipelines, one a file: wiring only. `runner.execute.execute` is the one way to start any of them."""
