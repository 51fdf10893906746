"""A search that is broken off goes on as if it had not been."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from optuna.trial import TrialState

from churn.errors import InputError
from churn.models.search_space import NumberRange, WholeRange
from churn.tuning.objective import Judged
from churn.tuning.study import open_study, record, run_trials, setting_importance

SPACE = {"x": NumberRange(low=-4.0, high=4.0), "n": WholeRange(low=1, high=64, log=True)}
FIRST = {"x": 3.0, "n": 8}


class Bowl:
    """Lowest at x = 1; the curve of a trial falls towards its value over ten steps."""

    words = "a bowl"
    warm_up = 3

    def __init__(self, *, break_at=None):
        self.tried = []
        self.break_at = break_at

    def __call__(self, parameters, report):
        self.tried.append(parameters)
        if len(self.tried) == self.break_at:
            raise KeyboardInterrupt
        value = (parameters["x"] - 1) ** 2 + parameters["n"] / 1000
        for step in range(1, 11):
            report(step, value + 1 / step)
        return Judged(value, {"steps": 10})


def search(name="s", storage=None, trials=12, bowl=None, **more):
    bowl = bowl or Bowl()
    study = open_study(name, storage=storage, warm_up=bowl.warm_up)
    run_trials(study, bowl, SPACE, first=FIRST, trials=trials, seed=5, **more)
    return study, bowl


@pytest.fixture
def storage(tmp_path):
    return str(tmp_path / "deep" / "down" / "tuning.db")


def test_the_recipes_own_settings_are_tried_first_and_all_within_the_space():
    study, bowl = search()
    assert bowl.tried[0] == FIRST
    assert len(bowl.tried) == 12
    assert all(-4 <= p["x"] <= 4 and 1 <= p["n"] <= 64 for p in bowl.tried)
    assert study.best_value < 4.008
    assert study.best_trial.user_attrs["learned"] == {"steps": 10}


def test_the_same_seed_tries_the_same_settings():
    first, second = search()[1].tried, search()[1].tried
    assert len(first) == 12
    assert first == second


def test_a_hopeless_trial_is_stopped_early():
    records = [record(trial) for trial in search(trials=30)[0].trials]
    pruned = [one for one in records if one.state == "pruned"]

    assert pruned
    assert all(one.steps < 10 and one.value is not None for one in pruned)
    assert all(one.steps >= Bowl.warm_up for one in pruned)
    assert [one.state for one in records[:4]] == ["complete"] * 4
    best = min(one.value for one in records if one.state == "complete")
    assert all(one.value > best for one in pruned)


@pytest.mark.parametrize("broken_at", [1, 4, 9])
def test_an_interrupted_search_goes_on_as_if_nothing_had_been(storage, broken_at):
    with pytest.raises(KeyboardInterrupt):
        search(storage=storage, bowl=Bowl(break_at=broken_at))
    study, rest = search(storage=storage)

    _, whole = search()
    assert rest.tried == whole.tried[broken_at - 1 :]
    states = [trial.state for trial in study.trials]
    assert states.count(TrialState.FAIL) == 1
    assert len(states) == 13
    assert record(study.trials[broken_at - 1]).state == "failed"
    assert record(study.trials[broken_at - 1]).value is None


def test_what_a_killed_process_left_running_counts_as_failed(storage):
    first = open_study("s", storage=storage, warm_up=3)
    first.ask()
    first.enqueue_trial(FIRST)
    study, bowl = search(storage=storage)

    assert study.trials[0].state == TrialState.FAIL
    assert bowl.tried == search()[1].tried


def test_a_finished_search_is_read_not_repeated_and_more_trials_go_on_from_it(storage):
    search(storage=storage)
    _, again = search(storage=storage)
    _, more = search(storage=storage, trials=15)

    assert again.tried == []
    assert more.tried == search(trials=15)[1].tried[12:]


def test_searches_of_two_names_share_a_file_and_nothing_else(storage):
    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(search, name, storage, 6) for name in ("a", "b")]
    tried = [task.result()[1].tried for task in tasks]
    assert tried[0] == tried[1] == search(trials=6)[1].tried


def test_whoever_listens_hears_of_every_trial():
    heard = []
    study, _ = search(on_trial=heard.append)
    assert heard == [record(trial) for trial in study.trials]
    assert [one.number for one in heard] == list(range(12))


def test_importance_says_which_setting_matters_if_there_are_enough_trials():
    study, _ = search(trials=15)
    shares = setting_importance(study, seed=1)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["x"] > 0.8
    assert setting_importance(search(trials=3)[0], seed=1) == {}


def test_an_error_in_a_trial_is_not_swallowed(storage):
    class Broken(Bowl):
        def __call__(self, parameters, report):
            report(1, parameters["x"])
            raise InputError("Column 'x' is missing.")

    with pytest.raises(InputError, match="Column 'x' is missing"):
        search(storage=storage, bowl=Broken())
    assert open_study("s", storage=storage, warm_up=3).trials[0].state == TrialState.FAIL


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be looked at\n" * 40)
    with pytest.raises(InputError, match=r"storage .*notes\.txt cannot be used"):
        open_study("s", storage=str(tmp_path / "notes.txt"), warm_up=3)
    with pytest.raises(InputError, match=r"cannot be used"):
        open_study("s", storage=str(tmp_path / "notes.txt" / "tuning.db"), warm_up=3)
    assert (tmp_path / "notes.txt").read_text().startswith("not a database")


def test_the_search_says_nothing_on_the_terminal(capfd, storage):
    search(storage=storage, trials=5)
    assert capfd.readouterr() == ("", "")
