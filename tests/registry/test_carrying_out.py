"""What a decision leads to: nothing without a pass and, where it is required, a person's approval."""

from __future__ import annotations

import pytest

from churn.errors import InputError
from churn.ledger.records import Ledger
from churn.scoring.bundle import current
from tests.registry.places import MODEL


def approval(version):
    return {"person": "Ada", "version": version, "note": "seen the card"}


@pytest.mark.parametrize(
    ("verdict", "said"), [("fail", "reject"), ("insufficient evidence", "hold")]
)
def test_a_decision_against_a_version_is_recorded_and_changes_nothing(places, verdict, said):
    places.promote("1")

    outcome = places.promote("2", verdict, approval="required", approve=approval("2"))

    assert (outcome.status, outcome.version, outcome.before) == ("kept back", "2", "1")
    assert places.agreed() == "1"
    with Ledger(places.ledger_url) as ledger:
        newest = ledger.decisions(MODEL)[0]
    assert (newest.version, newest.champion_version, newest.verdict) == ("2", "1", said)


def test_where_approval_is_required_a_version_waits_for_its_own(places):
    places.promote("1")

    waiting = places.promote("2", approval="required")
    assert (waiting.status, places.agreed()) == ("waiting", "1")
    assert "--set approve.version=2" in waiting.sentence
    with pytest.raises(InputError, match=r"approve\.version is 1, but the challenger is version 2"):
        places.promote("2", approval="required", approve=approval("1"))
    assert places.promote("2", approval="required").status == "waiting"

    promoted = places.promote("2", approval="required", approve=approval("2"))

    assert (promoted.status, promoted.approved_by) == ("promoted", "Ada")
    assert places.agreed() == "2"
    assert current(places.store).by == "Ada"
    with Ledger(places.ledger_url) as ledger:
        assert ledger.last_change(MODEL).person == "Ada"


@pytest.mark.parametrize(
    ("overridden", "reason"),
    [(True, "Ada overrides 'given': a pilot"), (False, "every gate passed")],
)
def test_what_a_person_overrides_is_on_record(places, overridden, reason):
    override = {"person": "Ada", "version": "1", "reason": "a pilot"}

    places.promote("1", overridden=overridden, override=override)

    with Ledger(places.ledger_url) as ledger:
        change = ledger.last_change(MODEL)
    assert (change.person, change.reason) == ("Ada", reason)
