import dataclasses

import numpy as np
import pytest

from churn.errors import InputError
from churn.monitoring import drift_check
from churn.monitoring.calibration import PERMUTATIONS, smallest_p_value
from churn.monitoring.drift_check import check_drift
from churn.monitoring.drift_reference import LEVELS, build_reference, quantiles


def score(columns):
    return 1 / (1 + np.exp(0.05 * columns["tenure"] - 0.02 * columns["MonthlyCharges"]))


def drawn(columns, rows, seed):
    """Rows of the table, drawn again, with charges that differ a little."""
    generator = np.random.default_rng(seed)
    places = generator.integers(0, len(columns["tenure"]), rows)
    found = {name: values[places] for name, values in columns.items()}
    return found | {"MonthlyCharges": found["MonthlyCharges"] + generator.uniform(-0.5, 0.5, rows)}


@pytest.fixture(scope="module")
def reference(telco_columns, contract):
    known = drawn(telco_columns, 4000, seed=0)
    return build_reference(known, score(known), contract)


@pytest.fixture
def window(telco_columns):
    return drawn(telco_columns, 500, seed=3)


def check(reference, columns, **settings):
    return check_drift(reference, columns, score(columns), **settings)


def test_a_window_like_the_training_rows_is_ok(reference, window, contract):
    found = check(reference, window)

    assert found.finding == "ok"
    assert found.p_value > 0.05
    assert (found.rows, found.reference_rows) == (500, 4000)
    assert {column.name for column in found.columns} == {each.name for each in contract.features}
    assert found.classifier_roc_auc == pytest.approx(0.5, abs=0.1)
    assert check(reference, window) == found  # equal input, equal answer


@pytest.mark.parametrize(
    ("p_value", "share"),
    [
        (0.0, "fewer than 1 in 10,000 windows of 500 rows"),
        (9.99e-5, "fewer than 1 in 10,000 windows of 500 rows"),
        (1e-4, "0.01% of windows"),
        (0.0123, "1.23% of windows"),
    ],
)
def test_a_sentence_gives_no_share_of_windows_that_chance_cannot_be_known_to(
    reference, window, monkeypatch, p_value, share
):
    monkeypatch.setattr(drift_check, "_both", lambda *_: p_value)

    assert share in check(reference, window).reason


@pytest.mark.parametrize(
    "shift",
    [
        lambda window: {"MonthlyCharges": window["MonthlyCharges"] * 1.05},
        lambda window: {"Contract": np.where(np.arange(500) < 200, 0, window["Contract"])},
    ],
    ids=["prices", "contracts"],
)
def test_a_column_that_moves_says_watch(reference, window, shift):
    changed = shift(window)
    found = check(reference, window | changed)

    assert found.finding == "watch"
    assert found.columns_p_value < 0.01
    worst = min(found.columns, key=lambda column: column.p_value)
    assert worst.name in changed
    assert worst.psi > 2 * worst.psi_expected


def test_what_no_column_shows_is_seen_by_the_classifier(reference, window):
    generator = np.random.default_rng(2)
    mixed = np.arange(500)
    mixed[:200] = generator.permutation(200)  # of two customers in five, all charges are another's
    broken = window | {name: window[name][mixed] for name in ("MonthlyCharges", "TotalCharges")}

    found = check(reference, broken)

    assert found.columns_p_value > 0.05
    assert found.classifier_p_value < 0.001
    assert found.finding == "watch"
    assert check(reference, broken, classifier=False).finding == "ok"


@pytest.mark.parametrize(
    "blank",
    [
        lambda window: {"MonthlyCharges": np.full(500, np.nan)},
        lambda window: {
            "PaymentMethod": np.where(np.arange(500) < 25, -1, window["PaymentMethod"])
        },
        lambda window: {"PaymentMethod": np.full(500, 120)},
        lambda window: {"gender": np.zeros(500, dtype=np.int8)},
    ],
    ids=["all null", "a new category", "only new categories", "constant"],
)
def test_what_no_training_row_had_is_drift(reference, window, blank):
    (name,) = changed = blank(window)
    found = check_drift(reference, window | changed, score(window))

    assert found.finding == "watch"
    (column,) = (each for each in found.columns if each.name == name)
    assert column.p_value < 1e-6
    if name != "gender":
        assert column.unknown in (1, 0.05)


def test_few_rows_are_never_ok(reference, telco_columns):
    found = {rows: check(reference, drawn(telco_columns, rows, 5)) for rows in (0, 49, 50)}

    assert [found[rows].finding for rows in (0, 49)] == ["cannot tell"] * 2
    assert found[49].reason.startswith("The window has 49 rows, and a check needs 50.")
    assert found[49].p_value is None
    assert found[50].p_value is not None


def test_without_calibration_nothing_is_ok(reference, window):
    old = dataclasses.replace(reference, calibration=None)
    found = check(old, window)
    assert (found.finding, found.p_value) == ("cannot tell", None)
    assert "written by an earlier release" in found.reason


def test_a_missing_column_is_named(reference, window):
    del window["Contract"]
    with pytest.raises(InputError, match="Column 'Contract' is missing from the window"):
        check_drift(reference, window, np.full(500, 0.2))


@pytest.mark.parametrize(
    "wrong",
    [np.full(500, "Two year"), np.zeros(499), np.zeros((500, 1))],
    ids=["text", "another number of rows", "a table"],
)
def test_a_column_that_is_none_is_named(reference, window, wrong):
    with pytest.raises(
        InputError, match=r"Column 'Contract' of the window is .*; a check needs 500"
    ):
        check_drift(reference, window | {"Contract": wrong}, np.full(500, 0.2))


def test_too_few_training_rows_have_no_calibration(telco_columns, contract):
    few = drawn(telco_columns, 199, 1)
    assert build_reference(few, score(few), contract).calibration is None
    enough = drawn(telco_columns, 200, 1)
    assert build_reference(enough, score(enough), contract).calibration is not None


def test_the_sample_has_no_order_of_the_table(reference, telco_columns):
    known = drawn(telco_columns, 4000, seed=0)
    codes = reference.codes(known, score(known))
    sample = reference.calibration.sample
    assert sorted(map(tuple, sample)) == sorted(map(tuple, codes))
    assert (sample == codes).all(axis=1).mean() < 0.05


def test_the_p_value_is_that_of_twenty_thousand_windows(reference):
    calibration = reference.calibration
    law = 10.0 ** calibration.smallest[1].astype(float)
    window = 1 / (1 / calibration.sizes[1] - 1 / 4000)  # of a stored size

    def p_value(smallest):
        return calibration.p_value(smallest, window, 4000)

    assert p_value(0.0) == 1 / (PERMUTATIONS + 1)
    assert p_value(law[0] * 1.001) == 2 / (PERMUTATIONS + 1)
    assert p_value(1.0) == 1
    values = [p_value(each) for each in np.geomspace(1e-8, 1, 60)]
    assert values == sorted(values)
    assert calibration.p_value(0.01, 10_000_000, 4000) == calibration.p_value(0.01, 10**9, 4000)


@pytest.mark.parametrize("rows", [60, 300, 2000])
def test_without_drift_p_values_are_no_smaller_than_chance_makes_them(
    reference, telco_columns, rows
):
    generator = np.random.default_rng(rows)
    found = []
    for _ in range(300):
        seeds = generator.integers(2**31, size=2)
        before, after = (
            build_counts(reference, drawn(telco_columns, count, seed))
            for count, seed in zip((4000, rows), seeds, strict=True)
        )
        smallest = float(smallest_p_value(before, after))
        found.append(reference.calibration.p_value(smallest, rows, 4000))

    assert 0.015 <= np.mean(np.array(found) <= 0.05) <= 0.09  # binomial, 300 windows: 3 sd
    assert 0.4 <= np.mean(np.array(found) <= 0.5) <= 0.6


def build_counts(reference, columns):
    codes = reference.codes(columns, score(columns))
    return [
        np.bincount(codes[:, place], minlength=len(each))
        for place, each in enumerate(reference.counts())
    ]


@pytest.mark.parametrize("count", [1, 2, 999, 1000, 1001, 7043])
def test_quantiles_are_numpys_to_the_bit(count):
    values = np.random.default_rng(count).gamma(2.0, 30.0, count).round(count % 3)

    assert np.array_equal(quantiles(values), np.quantile(values, LEVELS, method="inverted_cdf"))
