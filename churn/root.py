"""Where relative paths in settings start: the folder that holds `run.py`, here or in an image."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
