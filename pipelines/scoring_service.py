"""Runs `runner.scoring_service`: `python -m pipelines.scoring_service` is its command in 0.1.0."""

import runpy

if __name__ == "__main__":
    runpy.run_module("runner.scoring_service", run_name="__main__")
