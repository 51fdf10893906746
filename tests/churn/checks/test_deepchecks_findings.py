"""What becomes of an answer: severity is ours, and no answer is a failure."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from churn.checks.deepchecks.deepchecks_findings import read_findings
from churn.checks.deepchecks.deepchecks_settings import LEFT_OUT, SHOWN_ONLY, ValidationSettings


class Leakage:
    @staticmethod
    def name():
        return "Leakage"


def answered(*conditions, header="Leakage", exception=None):
    """A suite's result with one check in it."""
    results = [
        SimpleNamespace(name=name, category=SimpleNamespace(name=category), details=details)
        for name, category, details in conditions
    ]
    check = SimpleNamespace(
        check=Leakage(), get_header=lambda: header, conditions_results=results, exception=exception
    )
    return SimpleNamespace(results=[check])


def found(result, shown_only=None, suite="train_test_validation"):
    return list(read_findings(result, suite, "all rows", shown_only or {}))


@pytest.mark.parametrize(
    ("category", "shown_only", "verdict"),
    [
        ("PASS", {}, "pass"),
        ("FAIL", {}, "fail"),
        ("WARN", {}, "fail"),
        ("ERROR", {}, "fail"),
        ("PASS", {"Leakage": "harmless here"}, "pass"),
        ("FAIL", {"Leakage": "harmless here"}, "warn"),
        ("WARN", {"Leakage": "harmless here"}, "warn"),
        ("ERROR", {"Leakage": "harmless here"}, "warn"),
        ("FAIL", {"Other": "another check"}, "fail"),
    ],
)
def test_a_failure_is_critical_unless_the_settings_say_why_not(category, shown_only, verdict):
    (finding,) = found(answered(("none leaks", category, "5% leak")), shown_only)

    assert finding.verdict == verdict
    assert finding.reason == shown_only.get("Leakage", "")
    assert finding.severity == ("warning" if finding.reason else "critical")


def test_a_check_that_breaks_off_fails_and_its_words_stay_inside():
    (finding,) = found(answered(exception=ValueError("could not convert 'Ms Jones'")))

    assert finding.verdict == "fail"
    assert finding.sentence == "The check broke off with ValueError and says nothing."


def test_a_condition_that_breaks_off_fails_and_its_words_stay_inside():
    (finding,) = found(answered(("none leaks", "ERROR", "Exception: 'Ms Jones'")))

    assert (finding.verdict, finding.condition) == ("fail", "none leaks")
    assert "Jones" not in finding.sentence


def test_a_check_without_a_condition_does_not_pass():
    (finding,) = found(answered())

    assert finding.verdict == "fail"


def test_each_condition_of_a_check_is_a_finding_of_its_own():
    one, two = found(answered(("a", "PASS", "fine"), ("b", "FAIL", "not fine")))

    assert (one.condition, one.verdict) == ("a", "pass")
    assert (two.condition, two.verdict) == ("b", "fail")


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("Leakage - Train Dataset", "development rows"),
        ("Leakage - Test Dataset", "gate rows"),
        ("Leakage", "all rows"),
    ],
)
def test_a_finding_says_which_rows_it_is_about(header, rows):
    (finding,) = found(answered(("a", "PASS", "fine"), header=header))

    assert finding.rows == rows


def test_the_whole_table_is_not_called_one_side_of_it():
    (finding,) = found(
        answered(("a", "PASS", "fine"), header="Leakage - Train Dataset"), suite="data_integrity"
    )

    assert finding.rows == "all rows"


def test_details_become_one_line_of_plain_numbers():
    details = "Found {np.int64(1): np.float64(0.48)}.\nFound more"
    (finding,) = found(answered(("a", "FAIL", details)))

    assert finding.sentence == "Found {1: 0.48}. Found more."


def test_every_leniency_has_a_reason_and_nothing_is_both_shown_and_left_out():
    assert not set(SHOWN_ONLY) & set(LEFT_OUT)
    assert all(len(reason) > 10 for reason in (SHOWN_ONLY | LEFT_OUT).values())
    assert ValidationSettings().shown_only == SHOWN_ONLY


def test_the_docs_give_every_leniency_and_its_reason(root):
    text = (root / "docs" / "validation.md").read_text(encoding="utf-8")

    assert [name for name in SHOWN_ONLY | LEFT_OUT if f"`{name}`" not in text] == []
    plain = text.replace("[evaluation](evaluation.md)", "evaluation")
    assert [why for why in SHOWN_ONLY.values() if why[1:] not in plain] == []


@pytest.mark.parametrize(
    "given",
    [{"shown_only": {"Leakage": ""}}, {"seed": -1}, {"maximum_rows": 10}, {"speed": "fast"}],
)
def test_settings_that_make_no_sense_are_refused(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        ValidationSettings.model_validate(given)
