"""From a source to an accepted, split table."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from churn.checks.validators.validator_report import DataValidator
from churn.errors import InputError

VALIDATOR = "churn-great-expectations"


class StackValidator:
    """The data validator of a stack that nobody has made; Great Expectations itself is real."""

    name = flavor = VALIDATOR

    def validate(self, reference, current, contract, *, target):
        from churn.checks.validators.great_expectations_validation import validate
        from churn.checks.validators.validator_settings import GreatExpectationsSettings

        return validate(reference, current, contract, GreatExpectationsSettings(), target=target)


@pytest.fixture
def on_a_stack(monkeypatch):
    """Says which data validator the active stack has."""

    def chosen(component: DataValidator | None) -> None:
        from steps.data import validate_with_stack

        stack = SimpleNamespace(data_validator=component)
        monkeypatch.setattr(
            validate_with_stack, "Client", lambda: SimpleNamespace(active_stack=stack)
        )

    return chosen


def test_acquire_data_reads_the_bundled_table(customers):
    assert customers.rows == 7043
    assert customers.target_rate == pytest.approx(1869 / 7043)


def test_check_quality_finds_nothing_that_stops_the_bundled_table(quality):
    assert quality.failures == ()
    assert quality.held == len(quality.checks) > 50


def test_accept_data_gives_the_place_of_the_snapshot(customers, quality, root, tmp_path):
    from steps.data.accept_data import accept_data

    place = accept_data.entrypoint(customers, quality, str(tmp_path))

    assert (root / place).samefile(root / "data" / "raw" / "telco.csv")  # shipped: no copy
    assert list(tmp_path.iterdir()) == []


def test_split_rows_sets_a_fifth_aside_and_loses_nobody(customers, split):
    assert len(split.gate) / customers.rows == pytest.approx(0.2, abs=0.01)
    assert sorted([*split.development, *split.gate]) == list(range(customers.rows))


def test_validate_with_stack_asks_the_validator_that_it_was_started_for(
    customers, split, on_a_stack
):
    from steps.data.accept_validation import accept_validation
    from steps.data.validate_with_stack import validate_with_stack

    on_a_stack(StackValidator())

    report = validate_with_stack.entrypoint(customers, split, VALIDATOR)
    verdict = accept_validation.entrypoint(report)

    assert (report.reference_rows, report.current_rows) == (len(split.development), len(split.gate))
    assert verdict == report.verdict_word != "failed"


def test_accept_validation_refuses_a_report_that_failed(customers, split):
    from steps.data.accept_validation import accept_validation

    changed = customers.frame.iloc[split.gate].assign(MonthlyCharges=-1.0)
    report = StackValidator().validate(
        customers.frame.iloc[split.development],
        changed,
        customers.contract,
        target=customers.contract.target.name,
    )

    with pytest.raises(InputError, match="MonthlyCharges"):
        accept_validation.entrypoint(report)


def test_validate_with_stack_refuses_a_stack_without_that_validator(customers, split, on_a_stack):
    from steps.data.validate_with_stack import validate_with_stack

    on_a_stack(None)

    with pytest.raises(InputError, match="the active stack has none; run it again"):
        validate_with_stack.entrypoint(customers, split, VALIDATOR)
