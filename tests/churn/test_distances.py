import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from churn.distances import (
    chi_square,
    jensen_shannon,
    kolmogorov_smirnov,
    psi,
    psi_terms,
    smoothed_shares,
    wasserstein,
)

WAS, NOW = [0.1, 0.2, 0.3, 0.4], [0.15, 0.25, 0.3, 0.3]


def test_the_psi_of_known_shares():
    assert psi_terms(WAS, NOW).sum() == pytest.approx(0.0601986, abs=5e-8)
    assert psi_terms(NOW, WAS).sum() == pytest.approx(0.0601986, abs=5e-8)  # symmetric
    assert psi_terms(WAS, WAS).sum() == 0


def test_the_psi_of_counts_has_half_a_row_in_every_bin():
    found = psi([0, 100], [10, 90])
    shares = smoothed_shares([0, 100]), smoothed_shares([10, 90])
    assert shares[0].tolist() == [0.5 / 101, 100.5 / 101]
    assert found.value == pytest.approx(psi_terms(*shares).sum())
    assert found.expected == pytest.approx(1 / 100 + 1 / 100)


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="smooth the counts first"):
        psi_terms([0, 1], [0.5, 0.5])


def test_the_jensen_shannon_distance_of_known_shares():
    # by hand: the mean of both divergences from the middle, and its root
    middle = (np.array(WAS) + NOW) / 2
    divergence = sum(0.5 * np.sum(np.array(each) * np.log(each / middle)) for each in (WAS, NOW))
    counts = [1000 * np.array(each) for each in (WAS, NOW)]
    assert jensen_shannon(*counts).value == pytest.approx(np.sqrt(divergence))
    assert jensen_shannon(*counts).value == pytest.approx(0.0865, abs=5e-4)
    assert jensen_shannon([5, 5], [1, 0]).value == pytest.approx(0.4645, abs=5e-4)
    assert jensen_shannon([5], [7]).expected == 0


@pytest.mark.parametrize("shape", [(2,), (5,), (40,)])
def test_chi_square_is_scipys(shape):
    generator = np.random.default_rng(4)
    was, now = generator.integers(1, 50, shape), generator.integers(1, 50, shape)

    found = chi_square(was, now)

    peer = chi2_contingency([was, now], correction=False)
    assert found.statistic == pytest.approx(peer.statistic)
    assert found.p_value == pytest.approx(peer.pvalue)
    assert found.freedom == peer.dof


def test_chi_square_of_many_windows_is_that_of_each():
    was, now = np.array([10, 20, 0, 5]), np.array([[3, 4, 0, 1], [0, 0, 0, 9], [1, 2, 1, 0]])
    many = chi_square(was, now)
    each = [chi_square(was, window) for window in now]
    assert many.p_value.tolist() == [one.p_value for one in each]
    assert many.freedom.tolist() == [2, 2, 3]  # a bin that is empty in both does not count


def test_chi_square_of_a_constant_column_finds_nothing():
    assert chi_square([70, 0], [5, 0]).p_value == 1


def test_a_row_added_tames_the_rare_bin():
    was, now = [7000, 2], [49, 1]
    assert chi_square(was, now).p_value < 1e-6
    assert chi_square(was, now, added=0.5).p_value > 0.05


def test_kolmogorov_smirnov_of_known_samples():
    assert kolmogorov_smirnov([1, 2, 3, 4], [3, 4, 5, 6]).value == 0.5
    generator = np.random.default_rng(5)
    was, now = generator.normal(size=300), generator.normal(0.3, size=90)
    assert kolmogorov_smirnov(was, now).value == ks_2samp(was, now).statistic


def test_wasserstein_of_known_samples():
    assert wasserstein([0, 1, 3], [5, 6, 8]).value == pytest.approx(5)
    assert wasserstein([0, 0, 0, 0], [0, 0, 0, 8]).value == pytest.approx(2)


@pytest.mark.parametrize("sizes", [(7043, 100), (7043, 500), (400, 900)])
def test_what_chance_gives_is_what_samples_of_one_population_show(sizes):
    generator = np.random.default_rng(6)
    shares = np.array([0.1, 0.1, 0.2, 0.25, 0.35])
    m, n = sizes
    found = {"psi": [], "js": [], "ks": [], "w": [], "chi": []}
    for _ in range(300):
        was, now = generator.multinomial(m, shares), generator.multinomial(n, shares)
        found["psi"].append(psi(was, now))
        found["js"].append(jensen_shannon(was, now))
        chi = chi_square(was, now)
        found["chi"].append((chi.statistic, chi.freedom))
        samples = generator.gamma(2, size=m), generator.gamma(2, size=n)
        found["ks"].append(kolmogorov_smirnov(*samples))
        found["w"].append(wasserstein(*samples))

    assert np.mean([each[0] for each in found["chi"]]) == pytest.approx(4, rel=0.15)
    for name in ("psi", "js", "ks", "w"):
        values = np.mean([each.value for each in found[name]])
        expected = np.mean([each.expected for each in found[name]])
        assert values == pytest.approx(expected, rel=0.15), name


def test_wasserstein_of_quantiles_is_that_of_their_rows():
    generator = np.random.default_rng(7)
    was, now = generator.normal(60, 30, 5000), generator.normal(63, 30, 400)
    levels = np.linspace(0, 1, 1001)

    quantiles = wasserstein(np.quantile(was, levels), np.quantile(now, levels), rows=(5000, 400))

    plain = wasserstein(was, now)
    assert quantiles.value == pytest.approx(plain.value, rel=0.05)
    assert quantiles.expected == pytest.approx(plain.expected, rel=0.05)
