"""What promotion and rollback do to stage and pointer, and what they do where nothing is new."""

from __future__ import annotations

import shutil

import pytest

from churn.errors import InputError
from churn.ledger.records import Ledger
from churn.promotion.promotion_outcome import PromotionPair
from churn.scoring.bundle import current
from churn.scoring.scorer import Scorer
from tests.steps.conftest import MODEL, SETTINGS


def test_apply_promotion_and_restore_champion_move_stage_and_pointer(
    registered, linked, control_plane, folders, promoting, tmp_path
):
    from steps.promotion.apply_promotion import apply_promotion
    from steps.promotion.restore_champion import restore_champion

    # given two versions that were promoted one after the other
    for _ in range(2):
        registered()
    linked()
    for challenger, champion in (("1", None), ("2", "1")):
        pair = PromotionPair(model=MODEL, challenger=challenger, champion=champion)
        outcome = apply_promotion.entrypoint(pair, promoting, SETTINGS, folders)
        assert (outcome.status, outcome.alias) == ("promoted", None)
    assert current(tmp_path / "production" / MODEL).version == "2"

    # when the second is taken back
    restored = restore_champion.entrypoint({"profile": "demo", "model": {"name": MODEL}}, folders)

    # then the first serves again, and the ledger has all three decisions
    assert (restored.status, restored.version, restored.before) == ("restored", "1", "2")
    assert current(tmp_path / "production" / MODEL).version == "1"
    assert control_plane.find_version(MODEL, "production").name == "1"
    with Ledger(folders["ledger"]) as ledger:
        assert len(ledger.decisions(MODEL)) == 3


@pytest.fixture
def in_production(registered, linked, folders, promoting):
    """Version 1, promoted."""
    from steps.promotion.apply_promotion import apply_promotion

    registered()
    linked()
    pair = PromotionPair(model=MODEL, challenger="1", champion=None)
    apply_promotion.entrypoint(pair, promoting, SETTINGS, folders)


def promote_again(folders):
    from steps.promotion.apply_promotion import apply_promotion
    from steps.promotion.find_pair import find_pair
    from steps.promotion.judge_pair import judge_pair

    pair = find_pair.entrypoint(MODEL, "", folders)
    decision = judge_pair.entrypoint(pair, SETTINGS, folders)
    assert decision.verdict == "promote"
    return apply_promotion.entrypoint(pair, decision, SETTINGS, folders)


def test_with_nothing_new_to_promote_the_champion_stays_and_nothing_is_recorded(
    in_production, folders, tmp_path
):
    before = (tmp_path / "production" / MODEL / "current.json").read_bytes()

    outcome = promote_again(folders)

    assert outcome.status == "unchanged"
    already = "version 1 is published as a demonstration already"
    assert outcome.sentence == f"{already}; there is nothing new to promote"
    assert (tmp_path / "production" / MODEL / "current.json").read_bytes() == before
    with Ledger(folders["ledger"]) as ledger:
        assert len(ledger.decisions(MODEL)) == 1


@pytest.mark.parametrize("lost", ["the store", "the pointer"])
def test_a_bundle_that_is_missing_from_the_store_is_published_anew(
    in_production, folders, tmp_path, lost
):
    if lost == "the store":
        shutil.rmtree(tmp_path / "production" / MODEL)
    else:
        (tmp_path / "production" / MODEL / "current.json").unlink()

    with Ledger(folders["ledger"]) as ledger:
        ledger.record_approval(MODEL, "1", "Ada", "")

    outcome = promote_again(folders)

    assert outcome.status == "promoted"
    assert "its bundle was missing from the store; it is published anew" in outcome.sentence
    assert (
        current(tmp_path / "production" / MODEL).version,
        current(tmp_path / "production" / MODEL).by,
    ) == ("1", "Ada")


def test_a_bundle_alone_that_is_missing_is_written_anew_below_the_same_pointer(
    in_production, folders, tmp_path
):
    store = tmp_path / "production" / MODEL
    before = (store / "current.json").read_bytes()
    shutil.rmtree(store / "bundles" / "1")

    outcome = promote_again(folders)

    assert "its bundle was missing from the store; it is published anew" in outcome.sentence
    assert (store / "current.json").read_bytes() == before
    assert Scorer.load(store / "bundles" / "1").version == "1"


def test_where_the_stage_names_another_version_than_the_pointer_the_pointer_wins(
    in_production, registered, linked, control_plane, folders, tmp_path
):
    # given a version that somebody has given the stage by hand, past every gate
    registered()
    linked()
    control_plane.find_version(MODEL, "2").set_stage("production", force=True)

    outcome = promote_again(folders)

    assert "version 1 is published as a demonstration already" in outcome.sentence
    assert current(tmp_path / "production" / MODEL).version == "1"
    assert control_plane.find_version(MODEL, "production").name == "1"
    with Ledger(folders["ledger"]) as ledger:
        assert "but the stage named 2" in ledger.last_change(MODEL).reason


def test_an_override_of_another_version_is_refused(in_production, registered, folders):
    from steps.promotion.judge_pair import judge_pair

    registered()
    override = {"person": "Ada", "version": "1", "reason": "it was looked at"}
    pair = PromotionPair(model=MODEL, challenger="2", champion="1")
    with pytest.raises(InputError, match="is 1, but the challenger is version 2"):
        judge_pair.entrypoint(pair, {**SETTINGS, "override": override}, folders)
