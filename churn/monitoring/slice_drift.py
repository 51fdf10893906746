"""Whether the score moved within a group of customers, which the whole may hide."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from churn.contract import DataContract
from churn.distances import expected_gap
from churn.evaluation.slicing import SLICED_ROLES
from churn.frozen_model import FrozenModel
from churn.monitoring.calibration import FEWEST_ROWS, Codes, binned_ks
from churn.monitoring.drift_reference import DriftReference


class SliceDrift(FrozenModel):
    """The score within one slice, compared with the training rows of that slice.

    Attributes:
        name: of the slice, such as `Contract = Two year`.
        rows: of the window in it.
        p_value: of the KS test at the score's bins; no correction for the number of slices.
        gap: the largest between the two distribution functions.
        gap_expected: what chance alone gives.
    """

    name: str
    rows: int = Field(ge=0)
    p_value: float = Field(ge=0, le=1)
    gap: float
    gap_expected: float


def slice_drifts(
    reference: DriftReference, codes: Codes, contract: DataContract
) -> tuple[SliceDrift, ...]:
    """The slices that the contract's roles declare, as far as both sides have 50 customers in them.

    Args:
        reference: with its sample of training rows.
        codes: uint8[n, columns + 1], the window's rows as bins.
        contract: names the columns that groups are made by; of numbers there are no slices.
    """
    assert reference.calibration is not None  # noqa: S101 - a check without one has ended before
    known, bins = reference.calibration.sample, len(reference.counts()[-1])
    found = []
    for column in contract.coded:
        if not set(SLICED_ROLES) & set(column.roles):
            continue
        place = reference.names.index(column.name)
        for code, value in enumerate(column.categories):
            was, now = (rows[rows[:, place] == code, -1] for rows in (known, codes))
            if min(len(was), len(now)) < FEWEST_ROWS:
                continue
            gap, p_value = binned_ks(
                np.bincount(was, minlength=bins), np.bincount(now, minlength=bins)
            )
            found.append(
                SliceDrift(
                    name=f"{column.name} = {value}",
                    rows=len(now),
                    p_value=float(p_value),
                    gap=float(gap),
                    gap_expected=expected_gap(len(was), len(now)),
                )
            )
    return tuple(found)
