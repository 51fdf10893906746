"""The ways a run can end badly, each with the exit code that `run.py` returns.

Messages are one sentence that names the thing, the place and the way out.
"""

from __future__ import annotations

from typing import ClassVar


class ChurnError(Exception):
    """Anything this project refuses or fails at, told in one sentence."""

    exit_code: ClassVar[int] = 1


class InputError(ChurnError):
    """What the user handed over is at fault: data, settings, a name, a path."""

    exit_code: ClassVar[int] = 2


class GateError(ChurnError):
    """A model or promotion gate held the run back; nothing that was good has changed."""

    exit_code: ClassVar[int] = 3


class BundleError(ChurnError):
    """A scoring bundle or a bundle store is not fit to be used; what served before still can."""

    exit_code: ClassVar[int] = 1
