"""Years without drift are kept in a file, done once, and never mixed with those of another check."""

import json

import numpy as np
import pytest

from benchmarks import quiet_years
from benchmarks.evidence_drift import false_alarm_table, false_alarms, quiet
from benchmarks.measuring import BenchmarkError
from benchmarks.peer_drift_rules import RULES
from benchmarks.quiet_years import CHECKS, QuietYear, add_years, read_years

SEED = 3
PEERS = dict.fromkeys(RULES, False)


def year(number, rows=100, p_value=0.5):
    return QuietYear(SEED, number, rows, [p_value] * CHECKS, PEERS)


@pytest.fixture
def simulated(monkeypatch):
    """Which years and sizes were simulated, instead of simulating them."""
    simulated = []

    def quiet_year(populations, seed, number, sizes):
        simulated.append((number, tuple(sizes)))
        return [year(number, rows) for rows in sizes]

    monkeypatch.setattr(quiet_years, "quiet_year", quiet_year)
    monkeypatch.setattr(quiet_years, "Populations", lambda rows, seed: None)
    return simulated


def test_a_stopped_run_goes_on_where_it_was(tmp_path, simulated):
    file = tmp_path / "new" / "years.jsonl"
    add_years(file, 2, SEED, (100, 500))
    # Killed while it wrote its last line.
    file.write_text(file.read_text() + '{"seed": 3, "ye')
    simulated.clear()

    add_years(file, 3, SEED, (100, 500))

    assert simulated == [
        (0, (100,)),
        (2, (100, 500)),
    ]  # the first again: is the check still the same?
    assert [(each.year, each.rows) for each in read_years(file)] == [
        (number, rows) for number in range(3) for rows in (100, 500)
    ]


def test_a_size_that_was_not_asked_for_is_added(tmp_path, simulated):
    file = tmp_path / "years.jsonl"
    add_years(file, 1, SEED, (100,))

    add_years(file, 1, SEED, (100, 500))

    assert simulated[-1] == (0, (500,))


def test_years_of_another_check_are_refused(tmp_path, simulated):
    file = tmp_path / "years.jsonl"
    file.write_text(json.dumps(vars(year(0, p_value=0.4))) + "\n")
    before = file.read_bytes()

    with pytest.raises(BenchmarkError, match="the check or the customers have changed"):
        add_years(file, 2, SEED, (100,))

    assert file.read_bytes() == before


def test_the_same_year_in_two_files_counts_once(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(json.dumps(vars(year(0))) + "\n")

    assert len(read_years(tmp_path / "one", tmp_path / "two")) == 1


def test_limits_are_those_of_years_not_of_checks():
    # 100 years; one check of each of the first five lies at the year's level.
    years = [year(number) for number in range(100)]
    for each in years[:5]:
        each.p_values[0] = 0.05 / 52

    rates = false_alarms(quiet(years)[100])

    assert rates.alarm == 0.05
    assert rates.most_alarm == pytest.approx(0.1023, abs=5e-5)  # Clopper and Pearson, 5 of 100
    assert rates.watch == pytest.approx(5 / 5200)
    assert rates.naive == 0.05
    spread = np.std([1 / 52] * 5 + [0] * 95, ddof=1) / 10
    assert rates.most_watch == pytest.approx(rates.watch + 1.6604 * spread, rel=1e-4)


def test_the_table_judges_no_goal_by_a_few_years():
    table = false_alarm_table(quiet([year(number) for number in range(99)]))

    assert "too few years to judge" in table
    assert "met" in false_alarm_table(quiet([year(number) for number in range(100)]))
