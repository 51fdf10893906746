"""The end of a run as a person reads it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from churn.checks.validators.validator_report import ValidatorFinding, ValidatorReport
from churn.evaluation.protocol import protocol_figure
from churn.promotion.decision import Gate, decide
from runner.outcome import Outcome
from runner.run_summary import print_summary


@pytest.fixture
def outcome(generated_report, tmp_path) -> Outcome:
    return Outcome(
        "training",
        "completed",
        "local-mlflow",
        run_id="an-id",
        run_name="training-20261125-090000-abcd",
        seconds=61.4,
        model_version="7",
        stage="staging",
        report=tmp_path / "reports" / "training.html",
        training=generated_report,
        tracking="sqlite:////there/mlflow.db",
    )


def shown(outcome: Outcome, width: int = 240) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_summary(outcome, console)
    return console.file.getvalue()


def value(text: str, label: str) -> str:
    """What stands beside a label."""
    (line,) = (line for line in text.splitlines() if line.strip().startswith(f"{label} "))
    return line.strip().removeprefix(label).strip()


def altered(outcome: Outcome, **changes) -> Outcome:
    from dataclasses import replace

    return replace(outcome, **changes)


def test_it_says_what_was_trained_on_and_whether_it_is_sound(outcome, generated_report):
    text = shown(outcome)

    rate = f"{generated_report.data.churn_rate:.1%}"
    assert value(text, "data") == (
        f"900 customers of Members of a gym, {rate} left (/there/members.csv, sha256 abababababab)"
    )
    assert value(text, "quality") == "warn: 9 of 10 checks hold"
    assert value(text, "rows") == "700 to choose and fit, 200 set aside to judge"


def test_a_stacks_validator_stands_with_its_verdict_and_its_page(outcome, tmp_path):
    finding = ValidatorFinding(check="drift", column="tenure", verdict="warn", sentence="It moved.")
    report = ValidatorReport(
        validator="Evidently",
        version="0.7.23",
        contract="gym",
        contract_digest="ab" * 32,
        title="Members of a gym",
        target="left",
        reference_rows=700,
        current_rows=200,
        verdict="attention",
        findings=(finding,),
    )
    page = tmp_path / "reports" / "run-validator.html"

    text = shown(altered(outcome, validated=report, validator_page=page))

    assert value(text, "validator") == "attention: Evidently 0.7.23, 1 check: 1 asks for attention."
    assert value(text, "validation") == str(page)
    assert not any(line.strip().startswith("valid") for line in shown(outcome).splitlines())


def test_every_candidate_stands_with_its_interval_the_best_first(outcome, generated_report):
    lines = shown(outcome).splitlines()

    ranked = [each.name for each in generated_report.protocol.ranking]
    table = [line.split() for line in lines if line.split() and line.split()[0] in set(ranked)]
    assert [row[0] for row in table] == ranked
    for row, each in zip(table, generated_report.protocol.ranking, strict=True):
        interval = each.roc_auc_interval
        assert row[1:3] == [
            f"{each.metrics.roc_auc:.4f}",
            f"{interval.lower:.4f}-{interval.upper:.4f}",
        ]
        gained = each.against_baseline
        assert row[3] == (f"{gained.difference:+.4f}" if gained else "baseline")


def test_it_says_what_was_chosen_and_the_verdict_in_words(outcome, generated_report):
    text = shown(outcome)

    assert value(text, "chosen") == "blend"
    assert f"{generated_report.gate_rows.metrics.roc_auc:.4f}" in value(text, "gate rows")
    assert value(text, "verdict") == generated_report.decision.sentence
    assert "all rows (protocol)" in text
    assert "caution" not in text
    assert "Profile" not in text


def test_it_says_where_to_look_next(outcome, tmp_path, monkeypatch):
    text = shown(outcome)

    assert value(text, "registered") == "gym-churn version 7 (staging)"
    assert value(text, "report") == str(tmp_path / "reports" / "training.html")
    assert value(text, "dashboard") == "make dashboard"
    assert value(text, "mlflow") == "make mlflow"
    assert value(text, "run") == "training-20261125-090000-abcd on local-mlflow, 61 s"

    monkeypatch.chdir(tmp_path)
    assert value(shown(outcome), "report") == str(Path("reports") / "training.html")


def test_a_server_is_named_by_its_address(outcome):
    text = shown(
        altered(outcome, dashboard="https://zenml/run/1", tracking="https://mlflow.example")
    )

    assert value(text, "dashboard") == "https://zenml/run/1"
    assert value(text, "mlflow") == "https://mlflow.example"


def test_without_a_tracker_or_a_version_nothing_is_said_of_them(outcome):
    text = shown(altered(outcome, tracking=None, model_version=None))

    assert "mlflow" not in text.replace("local-mlflow", "")
    assert "registered" not in text


def test_a_version_that_was_not_staged_says_so(outcome):
    assert value(shown(altered(outcome, stage=None)), "registered") == (
        "gym-churn version 7 (no stage)"
    )


def test_a_lesser_profile_is_no_protocol_and_is_said_to_be_none(outcome, generated_report):
    quick = generated_report.model_copy(update={"profile": "quick"})

    text = shown(altered(outcome, training=quick))

    assert value(text, "profile").startswith("Profile quick: these figures are not the protocol's.")
    assert "all rows (less than the protocol)" in text


def test_a_figure_that_was_picked_after_the_fact_is_cautioned_against(outcome, generated_report):
    figure = protocol_figure(generated_report.protocol, "blend", frozen_recipe="logistic")
    picked = generated_report.model_copy(update={"figure": figure})

    assert value(shown(altered(outcome, training=picked)), "caution") == figure.sentence


@pytest.mark.parametrize("width", [80, 100, 103, 104, 160])
def test_it_fits_the_terminal(outcome, width):
    text = shown(outcome, width)

    assert max(map(len, text.splitlines())) <= width
    for name in ("blend", "logistic_balanced", "baseline"):
        assert name in text
    assert "…" not in text
    assert ("log loss" in text) == (width >= 104)


def test_a_run_of_another_pipeline_ends_with_its_links(outcome):
    text = shown(altered(outcome, training=None))

    assert value(text, "registered") == "model version 7 (staging)"
    assert "verdict" not in text


@pytest.mark.parametrize("verdict", ["pass", "insufficient evidence"])
def test_slices_of_a_gate_that_passed_are_counted_and_others_are_listed(outcome, verdict):
    slices = ("a: +0.1 points; enough.", "b: +0.2 points; enough.", "c: too few to tell (3).")
    gate = Gate(
        name="no slice is off",
        figure=0,
        threshold=5,
        verdict=verdict,
        sentence="The worst is b.",
        details=slices,
    )
    decision = decide([gate], challenger="version 1", basis="Nothing was compared.")

    text = shown(altered(outcome, training=None, decision=decision))

    counted = "3 slices in all, 1 too small to tell; the run's decision lists each."
    assert (counted in text) == (verdict == "pass")
    assert all((each in text) == (verdict != "pass") for each in slices)
    assert "The worst is b." in text


def test_a_demonstration_is_cleared_as_one(outcome):
    gate = Gate(name="ranks", figure=1, threshold=0, verdict="pass", sentence="It does.")
    decision = decide([gate], challenger="version 1", basis="Nothing was compared.")
    demonstration = decision.model_copy(update={"demonstration": True})

    assert "cleared for production" in decision.sentence
    assert "cleared as a demonstration, not for production" in demonstration.sentence
