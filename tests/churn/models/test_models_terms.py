import numpy as np
import pytest

from churn.errors import InputError
from churn.models.linear.design import spline, standardised, steps
from churn.models.linear.terms import Curve, Table, stairs, straight, term_from_json


def at(term, *values):
    return term({"x": np.array(values, dtype=np.float64)})


def test_a_table_looks_codes_up_and_refuses_others():
    table = Table("x", np.array([0.5, -1.0]))
    assert table({"x": np.array([1, 0, 1], dtype=np.int8)}).tolist() == [-1.0, 0.5, -1.0]
    for code in (-1, 2):
        with pytest.raises(InputError, match=rf"'x' row 2: code {code} is none of the 2"):
            table({"x": np.array([0, code], dtype=np.int8)})
    with pytest.raises(InputError, match="row 1: code 256"):
        table({"x": np.array([256])})


def test_stairs_rise_at_their_starts():
    curve = stairs("x", np.array([6.0, 12.0]), np.array([1.0, 2.0, 3.0]))
    assert at(curve, -1e9, 5.99, 6, 11.99, 12, 1e9).tolist() == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("edges", [0, 1, 64, 65, 200])
def test_any_number_of_stairs_is_climbed_alike(edges):
    starts = np.arange(edges, dtype=np.float64)
    curve = stairs("x", starts, np.arange(edges + 1, dtype=np.float64))
    where = np.r_[starts, starts - 0.5, np.nextafter(starts, np.inf), -9.0, 999.0, np.inf, -np.inf]
    with np.errstate(invalid="ignore"):  # infinity times 0
        found = at(curve, *where)
    finite = np.isfinite(where)
    assert found[finite].tolist() == np.searchsorted(starts, where[finite], side="right").tolist()


def test_a_straight_line_goes_on_beyond_the_data():
    curve = straight("x", 2.0, through=10.0)
    assert at(curve, 10, 11, 1010, -990).tolist() == [0, 2, 2000, -2000]


def test_a_sum_of_curves_is_the_sum_of_their_values():
    generator = np.random.default_rng(3)
    number = generator.gamma(2.0, 10.0, 400)
    smooth_block = spline("x", number, knots=6)
    smooth = smooth_block.term(generator.normal(size=smooth_block.matrix.shape[1]))
    rough = stairs("x", np.array([0.0, 12.0, 300.0]), generator.normal(size=4))
    line = straight("x", 0.3, through=number.mean())
    where = np.r_[number, -5.0, 0.0, 12.0, number.min(), number.max(), 299.9, 300.0, 900.0]

    for first, second in [(smooth, rough), (rough, smooth), (line, smooth), (smooth, line)]:
        together = first.plus(second)
        apart = at(first, *where) + at(second, *where)
        assert np.allclose(at(together, *where), apart, rtol=0, atol=1e-9)


def test_a_spline_term_is_its_design_times_its_weights_and_flat_beyond_the_data():
    generator = np.random.default_rng(4)
    number = generator.gamma(2.0, 10.0, 500)
    block = spline("x", number, knots=7)
    weights = generator.normal(size=block.matrix.shape[1])
    term = block.term(weights)

    assert np.allclose(at(term, *number), block.matrix @ weights, rtol=0, atol=1e-12)
    low, high, beyond = at(term, number.min(), number.max(), number.max() + 1e6)
    assert at(term, number.min() - 1e6)[0] == pytest.approx(low, abs=1e-12)
    assert beyond == pytest.approx(high, abs=1e-12)


def test_a_spline_is_smooth_at_its_knots():
    number = np.linspace(0, 100, 301)
    block = spline("x", number, knots=5)
    term = block.term(np.random.default_rng(5).normal(size=block.matrix.shape[1]))
    assert len(term.edges) == 5
    for knot in term.edges[1:-1]:
        below, here, above = at(term, knot - 1e-6, knot, knot + 1e-6)
        assert here == pytest.approx((below + above) / 2, abs=1e-9)


@pytest.mark.parametrize("number", [np.full(50, 3.0), np.r_[np.zeros(49), 1.0]])
def test_numbers_that_hardly_vary_make_a_finite_design(number):
    for block in (spline("x", number, knots=7), standardised("x", number)):
        assert np.isfinite(block.matrix).all()
        term = block.term(np.ones(block.matrix.shape[1]))
        expected = block.matrix.sum(axis=1)
        shift = at(term, *number) - expected
        assert np.ptp(shift) < 1e-12


def test_steps_agree_with_their_design():
    number = np.array([0.0, 5.0, 6.0, 60.0, 61.0])
    block = steps("x", number, (6.0, 60.0))
    term = block.term(np.array([1.0, 2.0, 4.0]))
    assert at(term, *number).tolist() == (block.matrix @ [1.0, 2.0, 4.0]).tolist()


def test_terms_survive_json():
    curve = stairs("x", np.array([0.1, 1 / 3]), np.array([0.1, 1 / 7, -2.5]))
    again = term_from_json(curve.as_json())
    assert isinstance(again, Curve)
    assert np.array_equal(again.coefficients, curve.coefficients)
    table = Table("x", np.array([1 / 3]))
    assert np.array_equal(term_from_json(table.as_json()).values, table.values)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"kind": "wave"},
        {"edges": [1.0]},
        {"coefficients": [[0.0], [0.0]]},
        {"edges": [2.0, 1.0], "origins": [0.0] * 3, "coefficients": [[0.0] * 3] * 4},
    ],
)
def test_pieces_that_do_not_fit_together_are_refused(spoilt):
    content = straight("x", 1.0, through=0.0).as_json() | spoilt
    with pytest.raises(ValueError, match=r"of 'x' do not fit|'wave' is no kind"):
        term_from_json(content)
