"""A validator's report, its page and its settings: without any of the libraries."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pandas as pd
import pytest
from pydantic import ValidationError

from churn.checks.validators.validator_report import (
    DataValidator,
    ValidatorFinding,
    ValidatorReport,
    require,
)
from churn.checks.validators.validator_settings import (
    DeepchecksSettings,
    EvidentlySettings,
    GreatExpectationsSettings,
)
from churn.checks.validators.validator_tables import prepare_tables
from churn.data.quality.verdict import worst_verdict
from churn.errors import InputError
from churn.reports.validator_page import render_validator_page


def _finding(verdict: str, column: str = "tenure", **more) -> ValidatorFinding:
    facts = {"check": "drift", "figure": 0.31, "threshold": 0.1, "sentence": f"{column} <moved>."}
    return ValidatorFinding(column=column, verdict=verdict, **(facts | more))


def _report(*findings: ValidatorFinding, **more) -> ValidatorReport:
    return ValidatorReport(
        validator="Evidently",
        version="0.7.23",
        contract="telco",
        contract_digest="ab" * 32,
        title="Members of a gym",
        target="Churn",
        reference_rows=900,
        current_rows=300,
        verdict=worst_verdict(findings),
        findings=findings,
        **more,
    )


@pytest.mark.parametrize(
    ("verdicts", "verdict", "said"),
    [
        (["pass", "pass"], "pass", "Evidently 0.7.23, 2 checks: all fine."),
        (["pass", "warn"], "warn", "Evidently 0.7.23, 2 checks: 1 asks for attention."),
        (
            ["warn", "fail", "warn"],
            "fail",
            "Evidently 0.7.23, 3 checks: 1 failed and 2 ask for attention.",
        ),
    ],
)
def test_the_verdict_is_the_worst_finding_and_the_sentence_counts(verdicts, verdict, said) -> None:
    report = _report(*map(_finding, verdicts))

    assert report.verdict == verdict
    assert report.sentence == said


def test_a_verdict_that_contradicts_the_findings_is_no_report() -> None:
    fine = _report(_finding("pass"))

    with pytest.raises(ValidationError, match="contradicts the findings"):
        ValidatorReport.model_validate(fine.model_dump() | {"verdict": "fail"})


def test_a_reports_file_keeps_its_words_and_is_read_again() -> None:
    report = _report(_finding("pass"), _finding("warn"), _finding("fail"))

    kept = json.loads(report.model_dump_json())

    assert kept["verdict"] == "failed"
    assert [each["standing"] for each in kept["findings"]] == ["fine", "attention", "failed"]
    assert all("verdict" not in each for each in kept["findings"])
    assert ValidatorReport.model_validate(kept) == report
    assert [each.verdict_word for each in report.findings] == ["fine", "attention", "failed"]


def test_failed_rows_stop_and_the_sentence_names_check_column_and_way_out() -> None:
    report = _report(_finding("warn"), _finding("fail", "Contract"), _finding("fail"))

    with pytest.raises(InputError) as refused:
        require(report)

    sentence = str(refused.value)
    assert "refuses the rows at 'drift' (1 other fails, too): Contract <moved>." in sentence
    assert "settings in the stack's file" in sentence
    assert refused.value.exit_code == 2


def test_rows_that_only_ask_for_attention_pass() -> None:
    require(_report(_finding("warn")))


def test_the_page_stands_alone_escapes_and_names_what_is_not_fine_first() -> None:
    report = _report(_finding("pass", "gender"), _finding("fail"), notes=("Nothing & nobody.",))

    page = render_validator_page(report)

    assert not re.search(r"<script|https?://|<link", page)
    assert "tenure &lt;moved&gt;." in page
    assert "<moved>" not in page
    assert page.index("What is not fine") < page.index("Every check") < page.index("Where this")
    assert "These rows are refused: 1 of 2 checks failed." in page
    assert "Nothing &amp; nobody." in page
    assert page == render_validator_page(report)


def test_a_validator_of_ones_own_needs_one_method_and_may_bring_its_page(telco, contract) -> None:
    @dataclass
    class Own:
        def validate(self, reference, current, contract, *, target):  # noqa: ARG002
            return _report(_finding("pass"), html="<p>mine</p>")

    own = Own()

    assert isinstance(own, DataValidator)
    assert not isinstance(object(), DataValidator)
    assert own.validate(telco.frame, telco.frame, contract, target="Churn").html == "<p>mine</p>"


def test_settings_read_the_texts_of_a_stack_file_and_refuse_what_they_do_not_know() -> None:
    settings = EvidentlySettings.model_validate({"psi_warning": "0.2", "maximum_rows": "500"})

    assert (settings.psi_warning, settings.maximum_rows) == (0.2, 500)
    with pytest.raises(ValidationError, match="psi_waring"):
        EvidentlySettings.model_validate({"psi_waring": 0.2})
    with pytest.raises(ValidationError, match="psi_warning must not lie above psi_critical"):
        GreatExpectationsSettings(psi_warning=0.4, psi_critical=0.3)
    with pytest.raises(ValidationError, match="a model is not at hand"):
        DeepchecksSettings(suites=["model_evaluation"])


def test_limits_are_the_contracts_unless_the_stack_says_otherwise(contract) -> None:
    assert EvidentlySettings().limits(contract) == (0.1, 0.5)
    assert EvidentlySettings(psi_critical=0.3).limits(contract) == (0.1, 0.3)

    with pytest.raises(InputError, match=r"psi_warning 0\.6 lies above its psi_critical 0\.5"):
        EvidentlySettings(psi_warning=0.6).limits(contract)


def test_long_tables_are_drawn_from_the_same_way_each_time_and_it_is_said(telco, contract) -> None:
    settings = EvidentlySettings(maximum_rows=1000, seed=3)

    once, twice = (
        prepare_tables(telco.frame, telco.frame[:400], contract, settings, target="Churn")
        for _ in range(2)
    )

    assert (len(once.reference), len(once.current)) == (1000, 400)
    pd.testing.assert_frame_equal(once.reference, twice.reference)
    assert once.notes == ("Of 7,043 reference rows 1,000 were drawn and looked at.",)


@pytest.mark.parametrize(
    ("spoil", "target", "said"),
    [
        (lambda frame: frame[:0], "Churn", "The current rows are none"),
        (lambda frame: frame.drop(columns="tenure"), "Churn", "'tenure' is missing from the curr"),
        (
            lambda frame: pd.concat([frame, frame["tenure"]], axis=1),
            "Churn",
            "'tenure' stands twice in the current rows",
        ),
        (
            lambda frame: frame,
            "Left",
            "'Left' holds the outcome, but contract 'telco' says 'Churn'",
        ),
    ],
    ids=["no rows", "no column", "a column twice", "another target"],
)
def test_tables_that_cannot_be_looked_at_are_named(telco, contract, spoil, target, said) -> None:
    with pytest.raises(InputError, match=said):
        prepare_tables(
            telco.frame, spoil(telco.frame), contract, EvidentlySettings(seed=3), target=target
        )
