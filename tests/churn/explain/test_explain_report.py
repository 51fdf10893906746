"""The explanation report: aggregates that add up, sentences that are true, pictures that are drawn."""

import numpy as np
import pytest
from pydantic import ValidationError

from churn.contract import DataContract
from churn.errors import InputError
from churn.explain.explanation_report import ExplanationReport
from churn.explain.grouping import contributions_by_column
from churn.explain.overview import explain
from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import default_recipes
from churn.reports.charts.chart_style import DARK, LIGHT, as_png
from churn.reports.charts.explanation_charts import (
    column_importance_chart,
    explanation_charts,
    interaction_chart,
)

NAMES = ("logistic", "spline_logistic", "gbm")


@pytest.fixture(scope="module")
def models(contract, telco_columns, telco_target):
    recipes = default_recipes()
    return fit_all(build_candidates(NAMES, recipes, contract), telco_columns, telco_target)


@pytest.fixture(scope="module")
def some(telco_columns):
    return take(telco_columns, np.arange(0, 7043, 2))


@pytest.fixture(scope="module")
def reports(models, some, contract):
    return {name: explain(models[name], some, contract, name=name) for name in NAMES}


def test_importance_is_the_mean_absolute_contribution(models, some, contract, reports):
    parts = contributions_by_column(models["gbm"], some, contract)
    found = reports["gbm"].importance

    assert len(found) == len(parts.columns)
    assert [e.strength for e in found] == sorted((e.strength for e in found), reverse=True)
    for each in found:
        assert each.strength == pytest.approx(np.abs(parts.column(each.column)).mean())
        assert each.actionable == contract.column(each.column).actionable


def test_a_report_survives_json(reports):
    assert len(reports) > 1
    for report in reports.values():
        assert ExplanationReport.model_validate_json(report.model_dump_json()) == report


def test_a_report_keeps_no_customer(reports, telco, some):
    text = reports["gbm"].model_dump_json()
    assert not any(customer in text for customer in telco.frame[telco.contract.id.name])
    assert reports["gbm"].dependence
    for dependence in reports["gbm"].dependence:
        assert dependence.bands
        assert all(band.rows >= 20 for band in dependence.bands)
    assert len(reports["gbm"].interaction.lines) > 1
    assert all(min(line.rows) >= 20 for line in reports["gbm"].interaction.lines)


def test_distributions_hold_every_customer_at_the_right_value(models, some, contract, reports):
    parts = contributions_by_column(models["spline_logistic"], some, contract)
    report = reports["spline_logistic"]
    swarm = next(each for each in report.swarms if each.column == "OnlineSecurity")
    counts, edges = np.array(swarm.counts), report.swarm_edges

    assert swarm.levels == contract.column("OnlineSecurity").categories
    assert counts.sum(axis=0).tolist() == np.bincount(some["OnlineSecurity"]).tolist()
    histogram, _ = np.histogram(parts.column("OnlineSecurity"), bins=edges)
    assert counts.sum(axis=1).tolist() == histogram.tolist()


def test_dependence_is_the_mean_contribution_of_each_value(models, some, contract, reports):
    parts = contributions_by_column(models["gbm"], some, contract).column("Contract")
    found = next(each for each in reports["gbm"].dependence if each.column == "Contract")
    assert len(found.bands) == 3
    for code, band in enumerate(found.bands):
        inside = parts[some["Contract"] == code]
        assert band.label == contract.column("Contract").categories[code]
        assert (band.rows, band.mean) == (len(inside), pytest.approx(inside.mean()))
        assert band.low <= band.mean <= band.high


def test_an_additive_model_has_no_interaction_and_says_why(reports):
    report = reports["logistic"]

    assert report.exact
    assert len(report.sentences) == 2
    assert report.interaction.largest < 1e-12
    assert "additive, so by construction" in report.sentences[1]
    assert "do not interact, by construction" in title(interaction_chart(report))


def test_an_engineered_column_is_named_where_it_alone_carries_the_interaction(reports):
    report = reports["spline_logistic"]

    assert report.interaction.largest > 0.1
    assert report.interaction.carried_by == ("within_first_term",)
    assert "through within_first_term alone" in report.sentences[1]


def test_trees_interact_and_say_by_how_much(models, some, contract, reports):
    found = reports["gbm"].interaction
    lines = {line.term: dict(zip(line.months, line.means, strict=True)) for line in found.lines}
    shared = set.intersection(*map(set, lines.values()))
    gaps = {
        at: max(v[at] for v in lines.values()) - min(v[at] for v in lines.values()) for at in shared
    }

    assert set(lines) == {"Month-to-month", "One year", "Two year"}
    assert 0.02 < found.typical <= found.largest
    assert found.largest == pytest.approx(max(gaps.values()))
    assert f"by {found.largest:.2f}" in reports["gbm"].sentences[1]


def test_terms_are_compared_at_the_same_tenure(models, contract, telco_columns):
    # Given customers, of which those with long contracts are older within every band of tenure,
    # when the additive model is asked, then that alone makes no gap.
    order = np.argsort(telco_columns["tenure"], kind="stable")
    columns = take(telco_columns, order)
    columns["Contract"] = (np.arange(7043) * 3 // 500 % 3).astype(np.int8)

    report = explain(models["logistic"], columns, contract, name="logistic")

    assert report.interaction.largest < 1e-12


@pytest.mark.parametrize("name", ["spline_logistic", "gbm"])
def test_terms_with_too_few_customers_at_one_tenure_are_not_compared(
    models, contract, telco_columns, name
):
    # Given customers, all but 19 of them with the same term
    term = telco_columns["Contract"]
    some = take(telco_columns, np.r_[np.flatnonzero(term == 0), np.flatnonzero(term == 2)[:19]])

    report = explain(models[name], some, contract, name=name)

    assert report.interaction.lines
    assert report.interaction.largest is None
    assert report.sentences[1] == (
        "Whether tenure counts otherwise under another Contract was not shown: too few customers to "
        "compare. In no range of tenure have two categories of Contract 20 or more."
    )
    assert "interaction" not in explanation_charts(report)
    assert ExplanationReport.model_validate_json(report.model_dump_json()) == report


def test_an_engineered_features_name_in_the_table_does_not_stop_the_report(
    models, contract, telco_columns
):
    columns = tuple(
        column.model_copy(update={"name": "service_count"}) if column.name == "gender" else column
        for column in contract.columns
    )
    named = contract.model_copy(update={"columns": columns})
    rows = telco_columns | {"service_count": telco_columns["gender"]}
    model = build_candidates(["spline_logistic"], default_recipes(), named)["spline_logistic"]
    fitted = model.fit(rows, (telco_columns["tenure"] < 12).astype(np.int8))

    report = explain(fitted, rows, named, name="spline_logistic")

    assert report.interaction.carried_by == ("within_first_term",)


def test_a_contract_without_the_roles_leaves_the_interaction_out(models, some, contract):
    content = contract.model_dump(mode="json")
    columns = [
        c | {"roles": [r for r in c["roles"] if r != "contract_term"]} for c in content["columns"]
    ]
    bare = DataContract.model_validate(content | {"columns": columns})

    report = explain(models["logistic"], some, bare, name="logistic")

    assert report.interaction is None
    assert report.sentences[1].endswith(
        "was not shown: the data contract has no single number column with the role tenure that the "
        "model looks at, or no single category or flag column with the role contract_term."
    )
    assert set(explanation_charts(report)) == {"importance", "beeswarm", "dependence"}
    with pytest.raises(ValueError, match="no interaction"):
        interaction_chart(report)


def test_a_legend_names_no_group_that_nobody_is_in(models, some, contract):
    months = some["tenure"].copy()
    months[: len(months) // 2] = 0.0
    most_are_new = some | {"tenure": months}

    report = explain(models["gbm"], most_are_new, contract, name="gbm")

    (swarm,) = (each for each in report.swarms if each.column == "tenure")
    assert (np.array(swarm.counts).sum(axis=0) > 0).all()
    assert len(swarm.levels) == len(set(swarm.levels))
    assert "none" not in swarm.levels


def test_of_many_categories_the_largest_are_shown_and_the_rest_together(
    telco_columns, telco_target, contract
):
    names = tuple(f"state {number}" for number in range(40))
    codes = np.random.default_rng(3).geometric(0.1, size=7043).clip(1, 40).astype(np.int8) - 1
    wide = contract.model_copy(
        update={
            "columns": tuple(
                column.model_copy(update={"categories": names, "phrases": (), "offers": {}})
                if column.name == "PaymentMethod"
                else column
                for column in contract.columns
            )
        }
    )
    columns = telco_columns | {"PaymentMethod": codes}
    left = np.where(codes < 8, 1 - telco_target, telco_target).astype(np.int8)
    model = fit_all(build_candidates(["logistic"], default_recipes(), wide), columns, left)

    report = explain(model["logistic"], columns, wide, name="logistic")

    (swarm,) = (each for each in report.swarms if each.column == "PaymentMethod")
    assert swarm.levels == (*names[:7], "33 others")
    counts = np.array(swarm.counts).sum(axis=0)
    assert counts.tolist() == [*np.bincount(codes)[:7], (codes >= 7).sum()]
    assert explanation_charts(report)


def test_many_rows_are_thinned_evenly(models, telco_columns, contract):
    many = {name: np.tile(values, 4) for name, values in telco_columns.items()}
    report = explain(models["logistic"], many, contract, name="logistic")

    assert 10_000 < report.rows <= 20_000


class Estimated:
    """An additive model that owns up to estimating."""

    exact = False
    additive = True
    kind = "estimated"

    def __init__(self, model):
        self.model, self.features, self.base = model, model.features, model.base

    def contributions(self, columns):
        return self.model.contributions(columns)

    def logit(self, columns):
        return self.model.logit(columns)


def test_estimates_are_called_so_and_taken_of_fewer_customers(models, telco_columns, contract):
    report = explain(Estimated(models["logistic"]), telco_columns, contract, name="guess")

    assert not report.exact
    assert 1_000 < report.rows <= 2_000
    assert "Contributions of guess are estimates" in report.sentences[2]
    beeswarm = explanation_charts(report)["beeswarm"]
    assert "estimated contribution" in beeswarm.axes[0].get_xlabel()


@pytest.mark.parametrize("rows", [0, 1, 99])
def test_too_few_customers_are_refused(models, telco_columns, contract, rows):
    few = take(telco_columns, np.arange(rows))
    with pytest.raises(InputError, match=f"cannot be explained on {rows} customers"):
        explain(models["logistic"], few, contract, name="logistic")


def test_a_hundred_customers_can_be_explained(models, telco_columns, contract):
    report = explain(models["gbm"], take(telco_columns, np.arange(100)), contract, name="gbm")

    assert report.rows == 100
    rows = [band.rows for each in report.dependence for band in each.bands]
    assert min(rows) >= 20
    charts = explanation_charts(report)
    assert charts
    assert all(as_png(figure).startswith(b"\x89PNG") for figure in charts.values())


def test_counts_that_do_not_add_up_are_no_report(reports):
    content = reports["gbm"].model_dump()
    with pytest.raises(ValidationError, match="do not add up"):
        ExplanationReport.model_validate(content | {"rows": content["rows"] + 1})


def title(figure) -> str:
    return figure.get_suptitle().replace("\n", " ")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_four_pictures_state_what_they_show(reports, theme):
    report = reports["gbm"]
    drawn = explanation_charts(report, theme)

    assert list(drawn) == ["importance", "beeswarm", "dependence", "interaction"]
    first, second = report.importance[:2]
    assert f"{first.column} and {second.column}" in title(drawn["importance"])
    assert "reaches furthest" in title(drawn["beeswarm"])
    assert "log-odds" in title(drawn["dependence"])
    assert f"{report.interaction.largest:.2f} log-odds" in title(drawn["interaction"])
    for figure in drawn.values():
        axes = [each for each in figure.axes if each.axison]
        texts = [a.get_xlabel() + a.get_ylabel() for a in axes]
        assert any("log-odds" in text for text in texts)
        assert len(as_png(figure)) < 150_000


def test_the_bars_are_the_importance(reports):
    report = reports["gbm"]
    bars = column_importance_chart(report).axes[0].patches
    assert [bar.get_width() for bar in bars] == [each.strength for each in report.importance]
