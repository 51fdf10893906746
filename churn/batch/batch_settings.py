"""What a batch run may be asked for; light, as the command line reads it."""

from __future__ import annotations

from typing import Literal

PartFormat = Literal["parquet", "csv"]
Duplicates = Literal["set_aside", "refuse"]
EngineName = Literal["local", "spark"]
