"""What a look at one thing came to; the doctor prints a list of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churn.errors import error_reason

Standing = Literal["fine", "note", "broken"]
SECONDS = 5.0
"""How long anything on a network is waited for."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at.

    Attributes:
        subject: What.
        standing: fine; a note to know of; broken, so that runs will fail.
        finding: What was seen.
        remedy: What to do; '' where nothing needs doing.
    """

    subject: str
    standing: Standing
    finding: str
    remedy: str = ""


def reason_of(error: BaseException) -> str:
    """An error in a few words: the innermost of what a network library wraps around it."""
    inner: BaseException = error
    while isinstance(deeper := getattr(inner, "reason", None), BaseException):
        inner = deeper
    text = error_reason(inner)
    return text.rpartition(">: ")[2][:160].rstrip(".")
