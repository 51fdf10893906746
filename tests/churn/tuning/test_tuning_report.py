import pytest

from churn.reports.charts.chart_style import DARK, LIGHT, as_png, as_svg
from churn.reports.charts.tuning_charts import history_chart, setting_importance_chart
from churn.tuning.search_report import TrialRecord, TuningReport


def trial(number, state, value, **parameters):
    return TrialRecord(
        number=number, state=state, value=value, parameters=parameters, steps=4, seconds=1.5
    )


def report(**changes):
    content = {
        "recipe": "tuned_gbm",
        "objective": "their mean log loss over 3 inner folds",
        "rows": 5634,
        "seed": 7,
        "space": {"depth": {"low": 2, "high": 4, "log": False}},
        "study": "tuned_gbm-0123",
        "trials": (
            trial(0, "complete", 0.42, depth=3),
            trial(1, "failed", None, depth=2),
            trial(2, "pruned", 0.47, depth=4),
            trial(3, "complete", 0.41, depth=2),
        ),
        "best": 3,
        "learned": {"trees": 225},
        "recipe_value": 0.42,
        "importance": {"depth": 0.7, "l2": 0.3},
    }
    return TuningReport.model_validate(content | changes)


def titles(figure):
    return figure.get_suptitle().replace("\n", " ")


def test_the_sentence_states_the_gain_and_what_the_figure_is_not():
    assert report().sentence == (
        "tuned_gbm: trial 3 reached an inner log loss of 0.4100, 0.0100 below the recipe's own "
        "settings (4 trials: 2 complete, 1 pruned, 1 failed). depth explains 70% of the "
        "differences between complete trials. Trials were judged by their mean log loss over 3 "
        "inner folds of the 5,634 rows given; the best of many is no estimate of performance."
    )


def test_a_search_that_found_nothing_better_says_so():
    found = report(best=0, recipe_value=0.42)
    assert "with the recipe's own settings: no trial was better" in found.finding
    assert "own settings" not in report(recipe_value=None).finding


def test_it_survives_json_and_cannot_be_changed():
    whole = report()
    assert TuningReport.model_validate_json(whole.model_dump_json()) == whole
    with pytest.raises(ValueError, match="frozen"):
        whole.best = 0


def test_the_table_has_a_line_for_every_trial():
    rows = report().table()
    assert [row["trial"] for row in rows] == [0, 1, 2, 3]
    assert rows[3] == {
        "trial": 3, "state": "complete", "inner_log_loss": 0.41, "depth": 2, "steps": 4,
        "seconds": 1.5,
    }  # fmt: skip


def test_the_history_shows_every_trial_that_has_a_value():
    figure = history_chart(report())
    assert titles(figure) == report().finding
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["complete trial"].get_xdata()) == [0, 3]
    assert list(lines["best so far"].get_ydata()) == [0.42, 0.41, 0.41]
    assert list(lines["pruned, where it was stopped"].get_ydata()) == [0.47]
    assert lines["the recipe's own settings"].get_ydata()[0] == 0.42


def test_importance_names_the_setting_that_matters_most():
    figure = setting_importance_chart(report())
    assert titles(figure) == "tuned_gbm: depth explains 70% of the differences between trials"
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.7, 0.3]


def test_too_few_trials_are_reported_as_too_few():
    figure = setting_importance_chart(report(importance={}))
    assert "2 complete trials are too few" in titles(figure)
    assert not figure.axes[0].axison


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("chart", [history_chart, setting_importance_chart])
def test_the_pictures_can_be_written_and_are_the_same_twice(chart, theme):
    assert as_svg(chart(report(), theme)) == as_svg(chart(report(), theme))
    assert as_png(chart(report(), theme)).startswith(b"\x89PNG")
