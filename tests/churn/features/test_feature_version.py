"""A version changes with what is computed, and with nothing else."""

from __future__ import annotations

import inspect

import pytest

from churn.contract import DataContract
from churn.features import feature_version, revenue
from churn.features.feature_catalog import feature_catalog
from churn.features.feature_set import feature_set
from churn.features.feature_version import code_digest, feature_set_version

SOURCE = inspect.getsource(revenue)


@pytest.fixture
def version_with(contract, monkeypatch):
    """The feature set's version if the revenue formulas had another source."""

    def version(source=SOURCE, of=contract):
        read = inspect.getsource
        monkeypatch.setattr(
            feature_version.inspect,
            "getsource",
            lambda module: source if module is revenue else read(module),
        )
        feature_version._module_digest.cache_clear()
        return feature_set_version(of, feature_set(of))

    yield version
    monkeypatch.undo()
    feature_version._module_digest.cache_clear()


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("_ONE_MONTH = 1.0", "_ONE_MONTH = 2.0"),
        ("tenure >= _ONE_MONTH", "tenure > _ONE_MONTH"),
        ("of.number(Role.MONTHLY_CHARGE) - _average_charge(of)", "-_average_charge(of)"),
        ('name="billed_gap"', 'name="gap"'),
    ],
)
def test_a_formula_s_change_is_another_version(version_with, was, now):
    assert was in SOURCE

    assert version_with(SOURCE.replace(was, now)) != version_with()


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("_ONE_MONTH = 1.0", "_ONE_MONTH = 1.0  # a month\n"),
        ("# Before the first full month", "# In the first month"),
        ('"""What a customer pays', '"""What customers pay'),
        ("Average monthly bill so far", "The average monthly bill"),
        ('unit="currency per month"', 'unit="money per month"'),
        ("    needs=_BILLS,\n", "    needs=(_BILLS),\n\n"),
    ],
)
def test_words_and_layout_change_no_version(version_with, was, now):
    assert was in SOURCE

    assert version_with(SOURCE.replace(was, now)) == version_with()


@pytest.mark.parametrize(
    ("column", "change", "same"),
    [
        ("MonthlyCharges", {"meaning": "The bill"}, True),
        ("MonthlyCharges", {"maximum": 500.0}, True),
        ("MonthlyCharges", {"roles": []}, False),
        ("Contract", {"months": [1, 12, 36]}, False),
        ("StreamingTV", {"yes": ["Yes", "No"]}, False),
        ("PaymentMethod", {"roles": ["service"], "yes": ["Mailed check"]}, False),
        ("TotalCharges", {"blank": None}, False),
    ],
)
def test_a_contract_s_roles_and_values_are_part_of_it_and_its_words_are_not(
    contract, column, change, same
):
    content = contract.model_dump(mode="json")
    (held,) = (each for each in content["columns"] if each["name"] == column)
    held.update(change)
    other = DataContract.model_validate(content)

    versions = {feature_set_version(each, feature_set(each)) for each in (contract, other)}

    assert (len(versions) == 1) is same


def test_the_same_code_has_the_same_version_in_another_process(contract):
    # A value that would differ if anything random, such as the order of a set, had a part in it.
    import subprocess
    import sys

    code = (
        "from pathlib import Path; from churn.contract import load_contract\n"
        "from churn.features.feature_set import feature_set\n"
        "from churn.features.feature_version import feature_set_version\n"
        "contract = load_contract(Path('data/contracts/telco.yaml'))\n"
        "print(feature_set_version(contract, feature_set(contract)))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert other.stdout.strip() == feature_set_version(contract, feature_set(contract))


def test_a_lone_text_is_no_code():
    assert code_digest('"""A."""\nx = 1') == code_digest("x = 1")
    assert code_digest("x = 'a'") != code_digest("x = 'b'")


def test_the_catalog_says_what_each_feature_is_and_who_answers_for_it(contract):
    content = contract.model_dump(mode="json")
    content["business"]["owners"] = "The pricing team"
    owned = DataContract.model_validate(content)

    catalog = {each.name: each for each in feature_catalog(owned, feature_set(owned))}

    gap = catalog["billed_gap"]
    assert (
        gap.description == "Billed so far less what the current bill times the tenure would come to"
    )
    assert (gap.kind, gap.unit, gap.owner) == ("formula", "currency", "The pricing team")
    assert (gap.tags, gap.reads) == (("revenue",), ("tenure", "MonthlyCharges", "TotalCharges"))
    assert len(gap.version) == 12
    assert catalog["tenure"].tags == ("tenure",)
    assert catalog["tenure"].unit == "months"
