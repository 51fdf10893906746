import numpy as np
import pytest

from churn.errors import InputError
from churn.evaluation.metrics import measure, row_log_loss


def test_a_perfect_ranking_scores_one_and_a_blind_one_a_half():
    target = np.array([0, 0, 0, 1, 1])

    perfect = measure(target, [0.1, 0.2, 0.3, 0.8, 0.9])
    blind = measure(target, [0.4] * 5)

    assert perfect.roc_auc == 1
    assert perfect.pr_auc == 1
    assert blind.roc_auc == 0.5
    assert blind.pr_auc == pytest.approx(0.4)  # the churn rate
    assert blind.lift_at_10 == pytest.approx(1)


def test_lift_counts_a_group_of_ties_at_the_cut_in_proportion():
    # given 20 customers: the top tenth is 2; one clear leader who left, then four tied;
    # one of the four left
    target = np.array([1, 1, 0, 0, 0, 1, 1, 1] + [0] * 12)
    chance = np.array([0.9, 0.5, 0.5, 0.5, 0.5] + [0.1] * 15)

    lift = measure(target, chance).lift_at_10

    # then the second place is worth a quarter of a leaver: (1 + 1/4) / 2 over 5 / 20
    assert lift == pytest.approx(2.5)


def test_a_certain_miss_costs_much_but_not_everything():
    losses = row_log_loss(np.array([1, 0], dtype=np.int8), np.array([0.0, 1.0]))
    assert np.isfinite(losses).all()
    assert (losses > 700).all()


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_outcome_alone_is_refused_in_a_sentence(outcome):
    with pytest.raises(InputError, match=r"All 3 customers .* both outcomes"):
        measure([outcome] * 3, [0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("target", "chance", "said"),
    [
        ([0, 1, 1], [0.1, 0.2], "do not match"),
        ([0, 2], [0.1, 0.2], "neither 0"),
        ([0, 1], [0.1, 1.2], "between 0 and 1"),
        ([0, 1], [0.1, float("nan")], "between 0 and 1"),
    ],
)
def test_arrays_that_cannot_be_judged_are_refused(target, chance, said):
    with pytest.raises(ValueError, match=said):
        measure(target, chance)
