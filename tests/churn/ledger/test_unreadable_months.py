"""A month's file that cannot be read is an error: a ledger without it would answer as if nothing had happened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from churn.errors import InputError
from churn.ledger.predictions import Prediction, PredictionLedger

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def prediction(at):
    return Prediction(at, "p-1", "C1", "7", "production", "api", 0.5, True, "ab" * 16)


@pytest.mark.parametrize(
    "use",
    [
        lambda ledger: ledger.count(),
        lambda ledger: list(ledger.predictions_with_outcomes(DECEMBER, DECEMBER)),
        lambda ledger: ledger.recorded(["p-1"], DECEMBER),
    ],
    ids=["count", "predictions_with_outcomes", "recorded"],
)
def test_a_month_whose_file_is_damaged_is_not_left_out(tmp_path, use):
    with PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        ledger.record([prediction(datetime(2026, 11, 30, tzinfo=UTC))])
        ledger.record([prediction(DECEMBER)])
    november = tmp_path / "ledger-2026-11.db"
    november.write_bytes(b"damaged" + november.read_bytes()[7:])

    with (
        PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger,
        pytest.raises(InputError, match=r"ledger-2026-11\.db cannot be read: file is not a data"),
    ):
        use(ledger)

    assert november.exists()


def test_an_old_month_that_is_damaged_holds_up_neither_the_stream_nor_the_rotation(tmp_path):
    with PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        for month in (1, 2, 11):
            ledger.record([prediction(datetime(2026, month, 28, tzinfo=UTC))])
    january = tmp_path / "ledger-2026-01.db"
    january.write_bytes(b"damaged" + january.read_bytes()[7:])

    with PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        found = ledger.recorded(["p-1"], DECEMBER)
        removed = ledger.rotate(DECEMBER, 2)

    assert [each.predicted_at.month for each in found] == [11]
    assert removed == ["2026-02"]
    assert january.exists()
