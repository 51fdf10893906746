"""A prediction about one customer, and what became known of the customer later."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import blake2b
from typing import Literal, NamedTuple

Role = Literal["production", "canary", "shadow"]


class Prediction(NamedTuple):
    """One prediction; a tuple, as making and keeping one is part of every answer's cost.

    Attributes:
        predicted_at: when, in UTC.
        prediction_id: as the answer has it; a shadow has that of the answer beside it.
        customer: the customer's id; None where none was given.
        version: version of the model.
        role: whether this was the answer, by the production version or by the canary, or a
            shadow's, which no answer contains.
        source: on which path: `api`, `batch`, ...
        probability: of leaving.
        decision: whether it reached the version's threshold.
        input_hash: hash of what was scored; see `input_hash`.
        model: name of the model; None in ledgers of release 0.1.0.
    """

    predicted_at: datetime
    prediction_id: str
    customer: str | None
    version: str
    role: Role
    source: str
    probability: float
    decision: bool
    input_hash: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a customer.

    Attributes:
        observed_at: when it was known, with its zone.
        churned: whether the customer left.
        prediction_id: of the prediction it belongs to; None where only the customer is known.
        customer: the customer's id; None where only the prediction is known.
    """

    observed_at: datetime
    churned: bool
    prediction_id: str | None = None
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class TreatmentRecord:
    """That a campaign treated a customer, or left the customer out by chance.

    Attributes:
        assigned_at: when, with its zone.
        treated: whether the campaign contacted the customer; False: in its holdout.
        prediction_id: of the prediction it follows from; None where only the customer is known.
        customer: the customer's id; None where only the prediction is known.
    """

    assigned_at: datetime
    treated: bool
    prediction_id: str | None = None
    customer: str | None = None


def input_hash(values: Sequence[float]) -> str:
    """A customer's codes and numbers, in the encoder's order, as 128 bits: the same customer, the same hash, and no raw value.

    It distinguishes customers and hides none: whoever can list all possible ones can hash them.
    """
    return blake2b(_doubles(len(values))(*values), digest_size=16).hexdigest()


@cache
def _doubles(count: int) -> Callable[..., bytes]:
    return struct.Struct(f"<{count}d").pack
