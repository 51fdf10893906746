"""The ways a run can end badly, each with the exit code that `run.py` returns.

A message is one sentence that names the thing, the place and the way out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from churn.run_result import RunResult


class ChurnError(Exception):
    """Anything that this project refuses or fails at, in one sentence."""

    exit_code: ClassVar[int] = 1


class InputError(ChurnError):
    """An error in what the user gave: data, settings, a name or a path.

    Attributes:
        result: what the run had found out until then, for `--json`; None for nothing.
    """

    exit_code: ClassVar[int] = 2
    result: RunResult | None = None


class GateError(ChurnError):
    """A model or promotion gate stopped the run; nothing that was good has changed."""

    exit_code: ClassVar[int] = 3


class BundleError(ChurnError):
    """A scoring bundle or a bundle store cannot be used; what was served before still can."""

    exit_code: ClassVar[int] = 1


class NoVersionBeforeError(BundleError):
    """A bundle store has no version before the one in production."""


# What SQLAlchemy and pydantic append for developers: the statement, and where to read more.
_APPENDIX = re.compile(
    r" \[SQL: .*| \(Background on this error at: .*| For further information visit https://\S+"
)


def one_line(text: object) -> str:
    """Returns an error or any other text on one line, with single spaces."""
    return " ".join(str(text).split())


def error_reason(error: BaseException, *, longest: int | None = None) -> str:
    """Returns what an error says, to be quoted inside a sentence of ours.

    It is one line of at most `longest` characters, without what libraries append for developers and
    without a full stop at its end; or the error's type if the error has no text.
    """
    return _APPENDIX.sub("", one_line(error))[:longest].rstrip(".") or type(error).__name__


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Returns the known name that is spelt most like an unknown one, or None if none is close.

    `cutoff` is the least similarity, 0 to 1, as `difflib.get_close_matches` measures it.
    """
    near = get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return near[0] if near else None
