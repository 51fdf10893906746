"""What a contract generates, and that Great Expectations, in silence, is what judges it."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections import Counter

import pytest

from churn.contract import Bounds, Role
from churn.data.quality import check
from churn.data.quality.distribution_rules import shifts
from churn.data.quality.gate import suite
from churn.errors import InputError


def expecting(contract, **changes):
    """The same contract with other expectations."""
    changed = contract.expectations.model_copy(update=changes)
    return contract.model_copy(update={"expectations": changed})


def without_role(contract, role):
    columns = (
        each.model_copy(update={"roles": tuple(kept for kept in each.roles if kept != role)})
        for each in contract.columns
    )
    return contract.model_copy(update={"columns": tuple(columns)})


@pytest.fixture(scope="module")
def billed(telco):
    """The shipped contract with the columns of the bill alone: few checks, quickly made."""
    names = ("customerID", "tenure", "MonthlyCharges", "TotalCharges", "Churn")
    columns = tuple(telco.contract.column(name) for name in names)
    return expecting(telco.contract.model_copy(update={"columns": columns}), implications=())


@pytest.fixture(scope="module")
def rules(telco):
    return suite(telco.contract, shifts(telco.frame, telco.frame, telco.contract))


def test_every_expectation_is_one_that_exists_and_takes_its_arguments(rules):
    from great_expectations import expectations
    from great_expectations.expectations.expectation import Expectation

    assert len(rules) > 50
    for rule in rules:
        assert rule.expectations
        for spec in rule.expectations:
            kind = getattr(expectations, spec.expectation)
            made = kind(**spec.arguments, severity=spec.severity)
            assert issubclass(kind, Expectation)
            assert made.severity == spec.severity


def test_names_are_unique_and_the_header_is_judged_first(rules):
    names = [rule.name for rule in rules]

    assert len(set(names)) == len(names)
    assert names[:2] == ["columns", "number of rows"]


def test_the_library_judges_and_what_it_stumbles_over_is_refused(telco, monkeypatch):
    from great_expectations.expectations import ExpectColumnValuesToNotBeNull

    def stumble(*_, **__):
        raise RuntimeError(f"secret cell {telco.frame['customerID'].iloc[0]}")

    monkeypatch.setattr(ExpectColumnValuesToNotBeNull, "_validate", stumble)

    report = check(telco.frame, telco.contract, None)

    assert {each.topic for each in report.failures} == {"blanks"}
    assert len(report.failures) == len(telco.contract.columns)
    assert report.failures[0].observed == "could not be checked"
    assert "secret" not in report.model_dump_json()


def test_nothing_is_written_and_nobody_is_called(telco, monkeypatch, capfd):
    monkeypatch.delenv("GX_ANALYTICS_ENABLED", raising=False)
    check(telco.frame.head(5), telco.contract, None)  # what is imported is imported by now
    seen, listening = [], True

    def listen(event, arguments):
        writes = event == "open" and isinstance(arguments[1], str) and set("wax+") & {*arguments[1]}
        called = event.startswith("socket.") and event != "socket.__new__"
        if listening and (writes or called or event in ("os.mkdir", "subprocess.Popen")):
            seen.append((event, arguments))

    sys.addaudithook(listen)
    capfd.readouterr()
    try:
        check(telco.frame, telco.contract, telco.frame)
    finally:
        listening = False

    assert seen == []
    assert capfd.readouterr() == ("", "")


def test_the_librarys_logger_is_left_as_it_was(telco, billed):
    logger = logging.getLogger("great_expectations")
    before = logger.level

    check(telco.frame.head(5), billed, None)

    assert logger.level == before


def test_reading_reports_does_not_import_the_library(root):
    code = (
        "import sys, churn.data.quality; print({'great_expectations', 'jinja2'} & {*sys.modules})"
    )
    command = [sys.executable, "-c", code]

    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("role", [Role.TENURE, Role.MONTHLY_CHARGE, Role.TOTAL_CHARGE])
def test_a_contract_without_a_role_leaves_the_charges_out_and_says_so(telco, billed, role):
    frame = telco.frame[list(billed.names)]

    report = check(frame, without_role(billed, role), frame)

    assert report.verdict == "pass"
    assert "TotalCharges against tenure" not in {each.name for each in report.checks}
    assert report.notes[1:] == (
        "Total charges were not compared with tenure: contract 'telco' needs exactly one number "
        f"with the role {role.value}.",
    )


def test_what_a_contract_does_not_ask_for_is_noted(telco, billed):
    report = check(telco.frame[list(billed.names)], expecting(billed, charges=None), None)

    assert report.notes == (
        "No categories were compared: contract 'telco' sets no implications.",
        (
            "Total charges were not compared with tenure: contract 'telco' sets no "
            "expectations.charges."
        ),
        "Distributions were not compared: there is no accepted table to compare with.",
    )
    assert report.accepted_rows is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"column": "tenure"}, "on column 'tenure', which is of kind number"),
        ({"follows_column": "customerID"}, "on column 'customerID', which is of kind id"),
        ({"value": "Never"}, "on column 'MultipleLines' being 'Never', which is not among No, Yes"),
        ({"follows_value": "Never"}, "on column 'PhoneService' being 'Never'"),
    ],
)
def test_an_implication_that_cannot_be_is_an_input_error(telco, change, says):
    first = telco.contract.expectations.implications[0].model_copy(update=change)

    with pytest.raises(InputError, match=says):
        check(telco.frame, expecting(telco.contract, implications=(first,)), None)


def test_limits_are_shown_with_the_digits_they_were_written_with(contract):
    charges = contract.expectations.charges.model_copy(update={"mostly": 0.995, "relative": 0.125})
    bounds = Bounds(minimum=0.0005, maximum=0.3)
    rules = suite(expecting(contract, charges=charges, target_rate=bounds), None)
    limits = {rule.name: rule.expectations[0].limit for rule in rules}

    assert limits["TotalCharges against tenure"] == (
        "within 50 + 12.5% of tenure x MonthlyCharges in 99.5% of rows"
    )
    assert limits["share of Churn"] == "0.05% to 30%"


def test_the_documented_table_of_rules_is_the_suite(root, rules):
    text = (root / "docs" / "quality.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\|.*\| (\d+) \| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    made = Counter(rule.expectations[0].expectation for rule in rules)

    assert {expectation: int(count) for count, expectation, _ in lines} == made
    assert f"{len(rules)} checks:" in text
    assert all("critical" in severity for *_, severity in lines)
    assert {rule.expectations[-1].severity for rule in rules if rule.topic == "distribution"} == {
        "warning"
    }
