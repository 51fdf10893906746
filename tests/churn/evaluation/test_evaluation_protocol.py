from dataclasses import dataclass, field

import numpy as np
import pytest

from churn.errors import InputError
from churn.evaluation.cross_validation import cross_validate
from churn.evaluation.plan import ProtocolPlan, SelectionPlan
from churn.evaluation.protocol import ProtocolReport, protocol_figure, run_protocol, summarise_folds
from churn.evaluation.selection import Selection, select_candidate

PLAN = ProtocolPlan(folds=4, repeats=3, seed=5, bootstrap_samples=100)


@dataclass(frozen=True)
class RateTable:
    """A toy model: the log-odds of leaving, looked up by the codes of some columns."""

    tables: dict
    kind: str = "rate_table"

    def logit(self, columns):
        return np.sum([table[columns[name]] for name, table in self.tables.items()], axis=0)


@dataclass
class RateTableCandidate:
    """Learns smoothed churn rates per code; keeps what it was shown."""

    name: str
    features: tuple
    shown: list = field(default_factory=list)

    def fit(self, columns, target):
        self.shown.append(columns["row"])
        tables = {}
        for feature in self.features:
            left = np.bincount(columns[feature], weights=target, minlength=3) + 1
            everyone = np.bincount(columns[feature], minlength=3) + 3
            tables[feature] = np.log(left / (everyone - left))
        return RateTable(tables)


@pytest.fixture(scope="module")
def table():
    """600 customers: the contract says much about leaving, the payment a little."""
    generator = np.random.default_rng(31)
    contract, payment = generator.integers(0, 3, size=(2, 600)).astype(np.int8)
    odds = np.array([0.3, -1.5, -3.0])[contract] + np.array([0.4, 0.0, -0.4])[payment]
    target = (generator.random(600) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    return {"contract": contract, "payment": payment, "row": np.arange(600.0)}, target


def candidates():
    return {
        "logistic": RateTableCandidate("logistic", ("payment",)),
        "blend": RateTableCandidate("blend", ("contract", "payment")),
        "same": RateTableCandidate("same", ("payment",)),
    }


@pytest.fixture(scope="module")
def report(table):
    return run_protocol(candidates(), *table, PLAN, baseline="logistic")


def test_every_customer_is_judged_once_per_repeat_by_models_that_never_saw_it(table):
    recipes = candidates()
    scored = cross_validate(recipes, *table, PLAN)

    assert len(scored.folds) == 12
    for repeat in range(3):
        judged = np.concatenate([fold.rows for fold in scored.folds[4 * repeat : 4 * repeat + 4]])
        assert np.array_equal(np.sort(judged), np.arange(600))
    for fold, shown in zip(scored.folds, recipes["blend"].shown, strict=True):
        assert not set(fold.rows) & set(shown.astype(int))
        assert len(fold.rows) + len(shown) == 600


def test_folds_keep_the_churn_rate(table):
    scored = cross_validate(candidates(), *table, PLAN)
    rates = [scored.target[fold.rows].mean() for fold in scored.folds]
    assert np.ptp(rates) < 0.01


def test_the_report_puts_the_candidates_side_by_side(report):
    blend = report.result("blend")
    assert [each.name for each in report.candidates] == ["logistic", "blend", "same"]
    assert report.ranking[0] is blend
    assert blend.metrics.roc_auc == pytest.approx(np.mean(blend.fold_roc_auc))
    assert blend.roc_auc_interval.covers(blend.metrics.roc_auc)
    assert not blend.against_baseline.covers_zero
    assert report.result("logistic").against_baseline is None
    assert report.result("same").against_baseline.difference == 0
    assert (report.rows, report.result("same").metrics.rows) == (600, 600)
    with pytest.raises(KeyError):
        report.result("net")


def test_the_table_has_one_flat_line_per_candidate_best_first(report):
    lines = report.table()
    assert [line["candidate"] for line in lines] == ["blend", "logistic", "same"]
    assert lines[0]["gained_lower"] > 0
    assert lines[1]["gained"] is None
    assert not any(
        isinstance(value, dict | list | tuple) for line in lines for value in line.values()
    )


def test_the_report_survives_json(report):
    assert ProtocolReport.model_validate_json(report.model_dump_json()) == report


def test_the_same_plan_gives_the_same_report_however_many_workers(report, table):
    again = run_protocol(candidates(), *table, PLAN, baseline="logistic", workers=2)
    assert again == report


def test_another_seed_cuts_the_rows_elsewhere(report, table):
    other = PLAN.model_copy(update={"seed": 6})
    moved = run_protocol(candidates(), *table, other, baseline="logistic")
    assert moved.result("blend").fold_roc_auc != report.result("blend").fold_roc_auc


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_is_reported_split_by_split(table, workers):
    progress = []
    cross_validate(
        candidates(), *table, PLAN, on_fold=lambda *step: progress.append(step), workers=workers
    )
    assert progress[-1] == (12, 12)
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_candidate_that_fails_ends_the_run_with_its_own_error(table, workers):
    class Broken(RateTableCandidate):
        def fit(self, columns, target):  # noqa: ARG002
            raise ArithmeticError("does not converge")

    broken = {"logistic": Broken("logistic", ())}
    with pytest.raises(ArithmeticError, match="does not converge"):
        cross_validate(broken, *table, PLAN, workers=workers)


def test_no_bootstrap_leaves_the_interval_out_and_says_nothing_of_it(table):
    plan = SelectionPlan(folds=4, repeats=1).as_protocol()
    found = run_protocol(candidates(), *table, plan, baseline="logistic")
    assert found.result("blend").roc_auc_interval is None
    assert found.result("blend").against_baseline is not None
    assert "interval" not in plan.sentence


def test_an_unknown_baseline_is_refused_before_anything_is_fitted(table):
    recipes = candidates()
    with pytest.raises(InputError, match=r"'plain' is not among the candidates \(logistic, blend"):
        run_protocol(recipes, *table, PLAN, baseline="plain")
    assert recipes["blend"].shown == []


def test_an_outcome_rarer_than_the_folds_is_refused(table):
    columns, target = table
    rare = np.zeros_like(target)
    rare[:3] = 1
    with pytest.raises(InputError, match=r"needs 4 customers of each outcome.* 3 left"):
        run_protocol(candidates(), columns, rare, PLAN, baseline="logistic")


def test_the_frozen_recipes_figure_is_taken_at_face_value(report):
    figure = protocol_figure(report, "blend", frozen_recipe="blend")
    assert not figure.optimistic
    assert figure.sentence.startswith("blend, the recipe frozen in the configuration")


def test_a_recipe_chosen_after_the_fact_is_labelled_optimistic(report):
    figure = protocol_figure(report, "blend", frozen_recipe="logistic")
    assert figure.optimistic
    assert "optimistic" in figure.sentence
    assert f"{report.result('logistic').metrics.roc_auc:.4f}" in figure.sentence
    missing = protocol_figure(report, "blend", frozen_recipe="net")
    assert "net, and was not run" in missing.sentence


def test_the_highest_mean_auc_is_chosen_and_its_lead_stated(report):
    selection = select_candidate(report, SelectionPlan())
    assert selection.chosen == "blend"
    assert selection.runner_up == "logistic"
    assert selection.clear
    assert selection.margin.difference == pytest.approx(
        report.result("blend").metrics.roc_auc - report.result("logistic").metrics.roc_auc
    )
    assert "more than chance explains" in selection.sentence
    assert Selection.model_validate_json(selection.model_dump_json()) == selection


def test_between_equals_the_one_named_first_is_chosen_and_called_undecided(table):
    scored = cross_validate(candidates(), *table, PLAN)
    for fold in scored.folds:
        fold.logits.pop("blend")
    selection = select_candidate(summarise_folds(scored, baseline="same"), SelectionPlan())
    assert selection.chosen == "logistic"
    assert not selection.clear
    assert "cannot be distinguished" in selection.sentence


def test_a_lone_candidate_is_chosen_without_a_margin(table):
    alone = {"logistic": candidates()["logistic"]}
    selection = select_candidate(
        run_protocol(alone, *table, PLAN, baseline="logistic"), SelectionPlan()
    )
    assert (selection.chosen, selection.margin, selection.clear) == ("logistic", None, False)
    assert selection.sentence == "logistic was the only candidate."


def test_out_of_fold_scores_average_over_repeats(table):
    scored = cross_validate(candidates(), *table, PLAN)
    row = 17
    seen = [
        fold.logits["blend"][np.flatnonzero(fold.rows == row)[0]]
        for fold in scored.folds
        if row in fold.rows
    ]
    assert len(seen) == 3
    assert scored.mean_logit("blend")[row] == pytest.approx(np.mean(seen))
