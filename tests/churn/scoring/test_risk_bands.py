import numpy as np
import pytest

from churn.scoring.risk_bands import NAMES, Bands

QUANTILES = np.linspace(0.0, 1.0, 1001).tolist()


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.167, 0.5, 0.9, 0.99])
def test_wherever_the_threshold_is_every_band_above_it_has_customers(threshold):
    bands = Bands.from_quantiles(threshold, QUANTILES)
    names = [bands(each) for each in QUANTILES]
    positive = [name for each, name in zip(QUANTILES, names, strict=True) if each >= threshold]

    # Then half of the positive ones are medium, three tenths high and a fifth very high
    for name, share in (("medium", 0.5), ("high", 0.3), ("very_high", 0.2)):
        assert positive.count(name) / len(positive) == pytest.approx(share, abs=0.1)
    assert all(
        (name == "low") == (each < threshold) for each, name in zip(QUANTILES, names, strict=True)
    )


def test_a_threshold_above_every_score_leaves_the_bands_in_order():
    bands = Bands.from_quantiles(0.8, [0.2] * 500 + [0.4] * 501)

    assert bands.cuts == (0.8, 0.8, 0.8)
    assert [bands(0.1), bands(0.79), bands(0.8)] == ["low", "low", "very_high"]


def test_scores_that_are_all_alike_have_one_band_on_each_side_of_the_threshold():
    bands = Bands.from_quantiles(0.3, [0.3] * 1001)

    assert bands(0.3) == "very_high"
    assert bands(0.29) == "low"


@pytest.mark.parametrize("quantiles", [[np.nan] * 1001, [1.5] * 1001, [-0.5] * 1001])
def test_what_is_no_probability_is_refused(quantiles):
    with pytest.raises(ValueError, match="no probabilities"):
        Bands.from_quantiles(0.3, quantiles)


def test_bounds_follow_one_another():
    bounds = Bands.from_quantiles(0.3, QUANTILES).bounds()

    assert list(bounds) == list(NAMES)
    assert [edge for each in bounds.values() for edge in each] == sorted(
        edge for each in bounds.values() for edge in each
    )
