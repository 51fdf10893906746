"""Great Expectations, Deepchecks and Evidently on the real table: one question, three answers."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from churn.checks.validators import (
    deepchecks_validation,
    evidently_adapter,
    evidently_validation,
    great_expectations_validation,
)
from churn.checks.validators.validator_report import ValidatorReport
from churn.checks.validators.validator_settings import (
    DeepchecksSettings,
    EvidentlySettings,
    GreatExpectationsSettings,
)
from churn.data.split import split_rows
from churn.errors import InputError

DEFAULTS = {
    great_expectations_validation: GreatExpectationsSettings(),
    deepchecks_validation: DeepchecksSettings(),
    evidently_validation: EvidentlySettings(),
}


def _with(module: str, *values):
    lacking = find_spec(module) is None
    marks = pytest.mark.skipif(lacking, reason=f"{module} is an extra and not installed")
    return pytest.param(*values, id=module, marks=[marks, pytest.mark.slow])


GREAT = _with("great_expectations", great_expectations_validation)
DEEP = _with("deepchecks", deepchecks_validation)
EVIDENTLY = _with("evidently", evidently_validation)
ALL_THREE = pytest.mark.parametrize("library", [GREAT, DEEP, EVIDENTLY])
needs_deepchecks = pytest.mark.skipif(find_spec("deepchecks") is None, reason="it is an extra")
# Libraries take twice as long under coverage's tracer; the first test has met the same lines.
not_traced = pytest.mark.no_cover
needs_evidently = pytest.mark.skipif(find_spec("evidently") is None, reason="it is an extra")


@pytest.fixture(scope="module")
def sides(telco, contract) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Development rows and gate rows, as a training splits them."""
    split = split_rows(telco.frame, contract, gate_fraction=0.2, seed=11)
    return telco.frame.iloc[split.development], telco.frame.iloc[split.gate]


@pytest.fixture(autouse=True)
def no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever phones somebody fails the test."""

    def refuse(*to, **more):
        pytest.fail(f"something asked the network for {to}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def of_good_rows(sides, contract) -> Callable[..., ValidatorReport]:
    """A library's report on the gate rows, made once."""

    @cache
    def made(library) -> ValidatorReport:
        return library.validate(*sides, contract, DEFAULTS[library], target="Churn")

    return made


@ALL_THREE
def test_gate_rows_look_like_development_rows_and_no_customer_is_named(
    library, of_good_rows, sides
) -> None:
    report = of_good_rows(library)

    assert report.verdict == "pass", report.failures + report.warnings
    assert (report.reference_rows, report.current_rows) == (5669, 1374)
    measured = {each.column for each in report.findings if each.figure is not None}
    assert measured >= {"tenure", "MonthlyCharges", "Contract"}
    text = report.model_dump_json()
    assert not any(identifier in text for identifier in sides[1]["customerID"])


@not_traced
@pytest.mark.parametrize("library", [GREAT, EVIDENTLY])
def test_the_same_rows_are_answered_alike(library, of_good_rows, sides, contract) -> None:
    again = library.validate(*sides, contract, DEFAULTS[library], target="Churn")

    assert again == of_good_rows(library)


@ALL_THREE
def test_bills_that_went_up_are_flagged_with_their_column(library, sides, contract) -> None:
    reference, current = sides
    dearer = current.assign(MonthlyCharges=current["MonthlyCharges"] + 40)

    report = library.validate(reference, dearer, contract, DEFAULTS[library], target="Churn")

    assert report.verdict == "fail"
    moved = next(each for each in report.failures if each.column == "MonthlyCharges")
    assert moved.figure > moved.threshold
    assert "distributed otherwise than in the reference rows" in moved.sentence
    assert {each.column for each in report.failures} <= {"MonthlyCharges", ""}
    assert "MonthlyCharges" in report.failure_sentence()


@not_traced
@pytest.mark.parametrize(
    ("library", "loose"),
    [
        _with(
            "great_expectations",
            great_expectations_validation,
            GreatExpectationsSettings(topics=["distribution"], psi_critical=9),
        ),
        _with(
            "deepchecks",
            deepchecks_validation,
            DeepchecksSettings(
                drift_limit=0.9,
                maximum_rows=1000,
                suites=["train_test_validation"],
                shown_only={"MultivariateDrift": "it sees what is known here"},
            ),
        ),
        _with("evidently", evidently_validation, EvidentlySettings(psi_critical=9)),
    ],
)
def test_the_stacks_settings_decide_what_a_drift_means(library, loose, sides, contract) -> None:
    reference, current = sides
    dearer = current.assign(MonthlyCharges=current["MonthlyCharges"] + 40)

    report = library.validate(reference, dearer, contract, loose, target="Churn")

    assert report.verdict == "warn"


@needs_evidently
@pytest.mark.slow
def test_evidently_counts_blanks_and_what_the_contract_does_not_know(sides, contract) -> None:
    reference, current = sides
    spoilt = current.assign(
        Contract=current["Contract"].astype(object), tenure=current["tenure"].astype(float)
    ).reset_index(drop=True)
    spoilt.loc[[3, 4, 5], "Contract"] = "Biennial"
    spoilt.loc[[7, 8], "TotalCharges"] = np.nan
    spoilt.loc[9, "tenure"] = 2000.0

    report = evidently_validation.validate(
        reference, spoilt, contract, EvidentlySettings(), target="Churn"
    )

    sentences = {each.column: each.sentence for each in report.failures}
    assert sentences == {
        "Contract": "Contract: 3 of 1,374 current rows lie outside the contract's categories; "
        "none may.",
        "TotalCharges": "TotalCharges: 2 of 1,374 current rows are blank; none may.",
        "tenure": f"tenure: 1 of 1,374 current rows lie outside 0 to "
        f"{contract.column('tenure').maximum:,g} months; none may.",
    }
    lenient = EvidentlySettings(missing_limit=0.01, outside_limit=0.01)
    assert evidently_validation.validate(
        reference, spoilt, contract, lenient, target="Churn"
    ).verdict == ("pass")


@needs_evidently
@pytest.mark.slow
def test_a_column_that_is_blank_throughout_fails_instead_of_breaking_off(sides, contract) -> None:
    reference, current = sides
    emptied = current.assign(TotalCharges=np.nan, Partner=None)

    report = evidently_validation.validate(
        reference, emptied, contract, EvidentlySettings(), target="Churn"
    )

    failed = {(each.check, each.column) for each in report.failures}
    assert failed == {
        (check, column)
        for check in ("blank cells", "drift")
        for column in ("TotalCharges", "Partner")
    }


@needs_evidently
@pytest.mark.slow
def test_evidentlys_own_page_can_be_had(sides, contract, tmp_path) -> None:
    profile = evidently_validation.profile(*sides, contract, EvidentlySettings())

    profile.save_html(str(tmp_path / "evidently.html"))

    page = (tmp_path / "evidently.html").read_text(encoding="utf-8")
    assert "MonthlyCharges" in page
    assert not any(identifier in page for identifier in sides[1]["customerID"][:50])


@pytest.mark.parametrize("library", [DEEP])
def test_what_the_reference_rows_show_as_well_is_no_news(library, of_good_rows) -> None:
    report = of_good_rows(library)

    known = [each for each in report.findings if "reference rows show the same" in each.sentence]
    assert {each.check for each in known} == {"Conflicting Labels", "Feature Feature Correlation"}
    assert {each.verdict for each in known} == {"pass"}


@needs_deepchecks
def test_a_text_outside_the_contract_is_refused_before_deepchecks_sees_it(sides, contract) -> None:
    reference, current = sides
    texts = current["Contract"].astype(object).to_list()
    spoilt = current.assign(Contract=[*texts[:16], "Biennial", *texts[17:]])

    with pytest.raises(InputError) as refused:
        deepchecks_validation.validate(
            reference, spoilt, contract, DeepchecksSettings(), target="Churn"
        )

    said = "The current rows cannot be shown to Deepchecks: Column 'Contract' row 17: 'Biennial' is"
    assert str(refused.value).startswith(said)


@needs_deepchecks
def test_checks_that_break_off_count_as_failed(sides, contract) -> None:
    reference, current = sides

    report = deepchecks_validation.validate(
        reference, current[:1], contract, DeepchecksSettings(), target="Churn"
    )

    assert any("broke off" in each.sentence for each in report.failures)


@needs_deepchecks
def test_a_check_that_deepchecks_does_not_have_is_refused(sides, contract) -> None:
    settings = DeepchecksSettings(shown_only={"FeatureDrfit": "a slip"})

    with pytest.raises(InputError, match="The validator's shown_only names 'FeatureDrfit'"):
        deepchecks_validation.validate(*sides, contract, settings, target="Churn")


@pytest.mark.parametrize(
    ("library", "settings", "where", "said"),
    [
        (
            great_expectations_validation,
            GreatExpectationsSettings(),
            great_expectations_validation,
            "needs Great Expectations, which cannot be loaded (not here): install it with make",
        ),
        (
            evidently_validation,
            EvidentlySettings(),
            evidently_adapter,
            "needs Evidently, which cannot be loaded (not here): install the extra 'stacks'",
        ),
        (
            deepchecks_validation,
            DeepchecksSettings(),
            import_module("churn.checks.deepchecks.adapter"),
            "need Deepchecks, which cannot be loaded (not here): install the extra 'deep'",
        ),
    ],
    ids=["great_expectations", "evidently", "deepchecks"],
)
def test_a_library_that_is_not_there_is_one_sentence(
    library, settings, where, said, sides, contract, monkeypatch
) -> None:
    def not_here(name):
        raise ImportError("not here")

    monkeypatch.setattr(where, "import_module", not_here)

    with pytest.raises(InputError) as refused:
        library.validate(*sides, contract, settings, target="Churn")

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
