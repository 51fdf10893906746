"""Charts of an explored table: titles state what is drawn, both themes, and small tables do not break them."""

import numpy as np
import pytest

from churn.exploration.breakdown import Breakdown, Group, break_down, rank_columns
from churn.exploration.interactions import PairInteraction
from churn.exploration.survival import survival_curve
from churn.reports.charts.chart_style import DARK, LIGHT, as_svg
from churn.reports.charts.exploration_charts import (
    breakdown_chart,
    interaction_chart,
    interaction_finding,
    ranking_chart,
    survival_chart,
    survival_finding,
    trend_chart,
)


def title(figure) -> str:
    return figure.get_suptitle().replace("\n", " ")


def pair(*, significant: bool) -> PairInteraction:
    return PairInteraction(
        first="age",
        second="plan",
        unit="years",
        cells={
            "basic": (Group("18 to 40", 100, 60), Group("41 to 99", 100, 10)),
            "plus": (Group("18 to 40", 100, 12), Group("41 to 99", 100, 10)),
            "rare": (Group("18 to 40", 29, 29), Group("41 to 99", 29, 0)),
        },
        statistic=20.0,
        p_value=1e-5,
        significant=significant,
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_chart_is_drawn_under_its_finding(telco, telco_columns, telco_target, theme):
    ranked = rank_columns(telco_columns, telco_target, telco.contract)
    tenure = break_down(telco_columns, telco_target, telco.contract.column("tenure"), bands=10)
    curve = survival_curve(telco_columns["tenure"], telco_target)

    drawn = {
        "Contract says most about leaving: it explains 17.0% of the uncertainty; 2 of 19 columns "
        "show no clear difference": ranking_chart(ranked, 0.265, theme),
        "Contract: 42.7% left at Month-to-month, 2.8% at Two year": breakdown_chart(
            ranked[0], 0.265, theme
        ),
        tenure.finding: trend_chart(tenure, 0.265, theme),
        "After 72 months 59.3% of customers are still there": survival_chart(
            [curve], "months", theme
        ),
        "Along age churn moves by 50 points at plan basic, by 2 at plus": interaction_chart(
            pair(significant=True), theme
        ),
    }

    assert [title(figure) for figure in drawn.values()] == list(drawn)
    assert all(figure.get_facecolor()[:3] != (0, 0, 0) for figure in drawn.values())
    assert all(as_svg(figure).startswith("<?xml") for figure in drawn.values())


def test_a_pair_that_chance_explains_is_given_no_finding():
    assert interaction_finding(pair(significant=False)) == "age and plan do not clearly interact"


def test_curves_are_compared_at_the_longest_tenure_that_all_reach():
    left = np.ones(4, dtype=np.int8)
    short = survival_curve(np.array([1.0, 2.0, 3.0, 4.0]), left, "monthly")
    long = survival_curve(np.array([2.0, 4.0, 6.0, 8.0]), left, "yearly")

    finding = survival_finding([short, long], "months", "term")

    assert finding == "After 4 months 50.0% are still there at term yearly, 0.0% at monthly"


def test_a_column_of_a_hundred_categories_shows_its_twenty_largest():
    groups = tuple(Group(f"town {i}", 1 + i, i % 2) for i in range(100))
    figure = breakdown_chart(Breakdown("town", "", groups, 0.1, 0.01), 0.5)

    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(labels) == 20
    assert labels[-1] == "town 99\n100 customers"
