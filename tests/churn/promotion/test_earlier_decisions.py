import numpy as np
import pytest

from churn.promotion.decision import Gate, Looks, decide
from churn.promotion.digests import RowDigests
from churn.promotion.earlier_decisions import EarlierDecision, best_versions, count_looks
from churn.promotion.row_sample import RowSample

DIGESTS = np.random.default_rng(2).integers(0, 2**64, size=(4000, 2), dtype=np.uint64)


def sample(first, last, layout="one"):
    return RowSample.of(RowDigests(layout=layout, values=DIGESTS[first:last]))


ROWS = sample(0, 1000)


def decided(version, champion="1", verdict="promote", rows=ROWS, sha256="same", **fields):
    """A decision that looked at gate rows; one of before their identity was kept has `rows=None`."""
    result = {"promote": "pass", "hold": "insufficient evidence", "reject": "fail"}[verdict]
    gate = Gate(name="given", figure=1, threshold=1, verdict=result, sentence="It is given.")
    hashes = {} if sha256 is None else {"gate_rows": sha256}
    decision = decide([gate], challenger=f"version {version}", basis="Given.", hashes=hashes)
    decision = decision.model_copy(update={"gate_rows": rows, **fields})
    return EarlierDecision(version=version, champion_version=champion, decision=decision)


def rolled_back(version, champion):
    return decided(version, champion, rows=None, sha256=None)


def looks(earlier, comparison=("9", "1", "same"), rows=ROWS):
    return count_looks(earlier, comparison, rows)


@pytest.mark.parametrize("verdict", ["promote", "hold", "reject"])
def test_every_decision_on_these_rows_is_a_look_whatever_its_verdict(verdict):
    earlier = [decided(str(version), verdict=verdict) for version in range(2, 7)]
    assert looks(earlier) == Looks(here=6, ever=6)


@pytest.mark.parametrize(("shared", "here"), [(499, 1), (500, 2), (501, 2), (1000, 2), (0, 1)])
def test_half_of_these_rows_is_where_other_rows_begin(shared, here):
    earlier = [decided("2", rows=sample(1000 - shared, 2000 - shared), sha256="other")]
    assert looks(earlier) == Looks(here=here, ever=2)


def test_fresh_rows_refill_the_level_of_these_rows_and_not_that_of_all():
    earlier = [decided(str(version)) for version in range(2, 52)]
    fresh = looks(earlier, ("99", "1", "fresh"), sample(2000, 3000))
    assert fresh == Looks(here=1, ever=51)


@pytest.mark.parametrize("rows", [None, sample(2000, 3000, layout="another contract")])
def test_rows_that_cannot_be_compared_count_as_these(rows):
    assert looks([decided("2", rows=rows, sha256="other")]).here == 2


def test_a_rollback_and_an_error_while_comparing_looked_at_nothing():
    earlier = [rolled_back("1", "2"), decided("3", verdict="hold", rows=None, sha256=None)]
    assert looks(earlier) == Looks(here=1, ever=1)


def test_the_same_comparison_again_is_the_look_it_was():
    earlier = [decided("2", verdict="hold"), decided("3"), decided("2", verdict="hold")]
    assert looks(earlier, ("2", "1", "same")) == Looks(here=1, ever=1)
    assert looks(earlier, ("3", "1", "same")) == Looks(here=2, ever=2)
    # the repeated one is counted once, and another champion makes it another comparison
    assert looks(earlier, ("4", "1", "same")).here == 3
    assert looks(earlier, ("2", "3", "same")).here == 3
    assert looks(earlier, ("2", "1", "other outcomes")).here == 3


def test_the_first_version_stays_the_best_until_one_leads_it():
    assert best_versions([], "1") == ["1"]
    assert best_versions([], None) == []
    history = [decided("1", champion=None), decided("2", "1"), decided("3", "2")]
    assert best_versions(history, "3") == ["1"]
    history.append(decided("4", "3", leads=True))
    assert best_versions(history, "4") == ["4", "1"]
    history.append(decided("5", "4"))
    assert best_versions(history, "5") == ["4", "1"]


def test_only_what_went_into_production_can_be_the_best():
    # given leaders that were held, rejected, or cleared and never approved
    history = [decided("1", champion=None)]
    history += [decided(each, "1", v, leads=True) for each, v in (("2", "hold"), ("3", "reject"))]
    history.append(decided("4", "1", leads=True))
    history.append(decided("5", "1"))
    assert best_versions(history, "5") == ["1"]


def test_a_ledger_that_begins_with_a_champion_begins_with_it():
    assert best_versions([decided("8", "7"), decided("9", "8")], "9") == ["7"]


def test_what_was_taken_back_is_the_best_no_more_unless_it_returns():
    history = [decided("1", champion=None), decided("2", "1", leads=True), rolled_back("1", "2")]
    assert best_versions(history, "1") == ["1"]
    history.append(decided("2", "1", leads=True))
    assert best_versions(history, "2") == ["2", "1"]
    # a ledger that begins with the version that was taken back
    assert best_versions([decided("8", "7"), rolled_back("6", "7")], "6") == ["6"]


def test_a_rollback_that_was_undone_took_nothing_back():
    # given a rollback that was recorded and then broken off, so that version 2 stayed
    history = [decided("1", champion=None), decided("2", "1", leads=True), rolled_back("1", "2")]
    assert best_versions(history, "2") == ["2", "1"]
    history.append(decided("3", "2", verdict="hold"))
    assert best_versions(history, "2") == ["2", "1"]
    # and the same after it was repeated, and done
    history.append(rolled_back("1", "2"))
    assert best_versions(history, "1") == ["1"]
