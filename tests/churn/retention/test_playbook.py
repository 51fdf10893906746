import re

import pytest

from churn.contract import load_contract
from churn.errors import InputError
from churn.retention.playbook_file import load_playbook


@pytest.fixture(scope="module")
def text(root):
    return (root / "data" / "playbooks" / "telco.yaml").read_text()


@pytest.mark.parametrize("name", ["telco", "mlc_churn"])
def test_the_shipped_playbooks_fit_their_contracts_and_say_that_all_is_assumed(root, name):
    contract = load_contract(root / "data" / "contracts" / f"{name}.yaml")

    playbook = load_playbook(root / "data" / "playbooks" / f"{name}.yaml", contract)

    assert all(a.assumed for offer in playbook.offers.values() for a in offer.assumptions.values())
    assert len(playbook.assumptions) == 4 * len(playbook.offers)


ONE_YEAR_EFFECT = "effect: {distribution: beta, alpha: 7, beta: 3, source: assumed,"
FAULTS = {
    "negative cost": ("contact: 4.0", "contact: -4.0", 23, "must be at least 0"),
    "free offer": ("cost: {contact: 6.0,", "cost: {contact: 0.0,", 51, "must be above 0 in contact, incentive or bills"),
    "budget zero": ("budget: 15000", "budget: 0", 5, "must be above 0"),
    "capacity zero": ("capacity: 400", "capacity: 0", 22, "must be at least 1, not 0"),
    "uplift above 1": (
        ONE_YEAR_EFFECT,
        "effect: {distribution: fixed, value: 1.2, source: assumed,",
        25,
        "must be at most 1",
    ),
    "mean above 1": (
        ONE_YEAR_EFFECT,
        "effect: {distribution: normal, mean: 1.1, standard_deviation: 0.1, source: assumed,",
        25,
        "must be at most 1",
    ),
    "negative acceptance": (
        "acceptance: {distribution: beta, alpha: 6, beta: 14, source: assumed,",
        "acceptance: {distribution: fixed, value: -0.1, source: assumed,",
        24,
        "must be a share of customers",
    ),
    "negative free riders": (
        "free_riders: {distribution: beta, alpha: 6, beta: 14, source: assumed,",
        "free_riders: {distribution: normal, mean: -0.1, standard_deviation: 0.1, source: assumed,",
        26,
        "must be at least 0",
    ),
    "no source": (ONE_YEAR_EFFECT, ONE_YEAR_EFFECT.replace(" source: assumed,", ""), 25, "'measured in experiment NAME'"),
    "other source": ("source: assumed", "source: guessed", 23, "not 'guessed'"),
    "no basis": (", basis: ten minutes of an agent; 10% of twelve bills", "", 23, "basis' is required"),
    "unknown column": ("tenure: {at_least: 6}", "tenur: {at_least: 6}", 29, "Did you mean 'tenure'"),
    "unknown category": ("Contract: [Month-to-month]", "Contract: [Biennial]", 28, "no category 'Biennial'"),
    "category twice": (
        "Contract: [Month-to-month]",
        "Contract: [Month-to-month, Month-to-month]",
        28,
        "twice",
    ),
    "no category": ("Contract: [Month-to-month]", "Contract: []", 28, "nobody could be eligible"),
    "bounds of a category": ("Contract: [Month-to-month]", "Contract: {at_least: 1}", 28, "list of some"),
    "no bounds": ("tenure: {at_least: 6}", "tenure: {}", 29, "at_least, at_most or both"),
    "beyond the contract": ("tenure: {at_least: 6}", "tenure: {at_least: 300}", 29, "nobody can be eligible"),
    "bounds crossed": ("tenure: {at_least: 6}", "tenure: {at_least: 6, at_most: 5}", 29, "nobody can be eligible"),
    "has it already": ("Contract: [Month-to-month]", "Contract: [One year]", 28, "has what is proposed"),
    "contradiction": ("InternetService: [DSL, Fiber optic]", 'InternetService: ["No"]', 84, "exactly where"),
    "overlap": ('proposes: {TechSupport: "Yes"}', "proposes: {Contract: One year}", 82, "be eligible for both"),
    "yes without quotes": ('TechSupport: ["No"]', "TechSupport: [No]", 84, "in quotes"),
    "unknown channel": ("channel: phone", "channel: fax", 20, "known: phone, email"),
    "key twice": ("capacity: 500", "capacity: 400\n    capacity: 500", 38, "first on line 37"),
    "unknown field": ("budget: 15000", "budjet: 15000", 5, "unknown field 'budjet'"),
    "no number": ("budget: 15000", "budget: .nan", 5, "finite"),
    "no distribution": ("distribution: beta, ", "", 24, "must have a distribution"),
    "other contract": ("contract: telco", "contract: foo", 4, "is for the data contract 'foo'"),
    "fairness of a number": ("column: gender", "column: tenure", 15, "no categories"),
    "no guardrail": ("guardrails: [{measure: complaints a hundred contacts, at_most: 3}]", "guardrails: []", 31, "at least 1"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_line(fault, text, contract, tmp_path):
    before, after, line, said = FAULTS[fault]
    assert before in text
    path = tmp_path / "playbook.yaml"
    path.write_text(text.replace(before, after, 1))

    with pytest.raises(InputError, match=re.escape(said)) as refused:
        load_playbook(path, contract)

    assert f"{path} line {line}: " in str(refused.value)


def test_variants_of_one_family_may_not_overlap_but_may_touch(text, contract, tmp_path):
    path = tmp_path / "playbook.yaml"
    family = text.replace("channel: phone", "family: calls\n    channel: phone")
    path.write_text(family)
    with pytest.raises(InputError, match="of the family 'calls'"):
        load_playbook(path, contract)

    apart = family.replace("family: calls", "family: other", 1)
    path.write_text(apart)  # 12 and above, and up to 5

    assert load_playbook(path, contract).offers["first_bills_call"].family == "calls"


def test_a_cost_in_bills_needs_a_monthly_charge(root, tmp_path):
    contract = load_contract(root / "data" / "contracts" / "mlc_churn.yaml")
    text = (root / "data" / "playbooks" / "mlc_churn.yaml").read_text()
    path = tmp_path / "playbook.yaml"
    path.write_text(text.replace("incentive: 10.0", "bills: 1.0", 1))

    with pytest.raises(InputError, match="write it as incentive"):
        load_playbook(path, contract)


@pytest.mark.parametrize("content", ["- a", "a: [", "", "name: 2026-01-01"])
def test_what_is_no_playbook_is_refused(content, contract, tmp_path):
    path = tmp_path / "playbook.yaml"
    path.write_text(content)

    with pytest.raises(InputError, match=re.escape(str(path))):
        load_playbook(path, contract)


def test_a_playbook_that_is_not_there_is_named(contract, tmp_path):
    with pytest.raises(InputError, match="There is no playbook"):
        load_playbook(tmp_path / "none.yaml", contract)
