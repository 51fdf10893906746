"""Result of one check of the doctor, and the reason of a network error in a few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churn.errors import ChurnError, error_reason

Status = Literal["fine", "note", "broken"]
SECONDS = 5.0
"""Timeout of each network request, in seconds."""


@dataclass(frozen=True)
class Diagnosis:
    """Result of one check.

    Attributes:
        subject: What was checked.
        status: fine; note, worth knowing; broken, so that runs will fail.
        finding: What the check saw.
        remedy: What to do; empty where nothing needs to be done.
    """

    subject: str
    status: Status
    finding: str
    remedy: str = ""

    @classmethod
    def from_error(cls, subject: str, error: ChurnError, remedy: str) -> Diagnosis:
        """Returns a broken diagnosis with the error's message as its finding."""
        return cls(subject, "broken", str(error).rstrip("."), remedy)

    @classmethod
    def from_sentence(cls, subject: str, error: ChurnError) -> Diagnosis:
        """Returns a broken diagnosis of an error whose message ends with a semicolon and the remedy."""
        finding, _, remedy = str(error).rpartition("; ")
        return cls(subject, "broken", finding, f"{remedy[:1].upper()}{remedy[1:]}")

    def as_json(self) -> dict[str, str]:
        """Returns the object that `run.py --doctor --json` prints."""
        return {
            "subject": self.subject,
            "standing": self.status,
            "finding": self.finding,
            "remedy": self.remedy,
        }


def network_reason(error: BaseException) -> str:
    """Returns the innermost reason of a network library's wrapped errors, at most 160 characters."""
    inner: BaseException = error
    while isinstance(deeper := getattr(inner, "reason", None), BaseException):
        inner = deeper
    text = error_reason(inner)
    return text.rpartition(">: ")[2][:160].rstrip(".")
