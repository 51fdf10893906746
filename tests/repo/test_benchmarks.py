"""The benchmarks tell what was measured, judge it by its median, and never judge what was not run."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import benchmarks
from benchmarks import (
    control_groups,
    evidence_peers,
    evidence_service,
    goal_deep,
    goal_orchestration,
    goal_peers,
    goal_quick,
    goal_reasons,
    goal_scale,
    goal_service,
)
from benchmarks.evidence_reasons import ReasonCosts, cost_table
from benchmarks.evidence_scale import generate
from benchmarks.goals import Figure, table
from benchmarks.measuring import BenchmarkError, Cost, own_environment, run
from benchmarks.run import GOALS, LONG, chosen, main, parser
from benchmarks.serving import Run, load, requests, started
from benchmarks.trainings import Training, Trainings
from churn.features.encoding import encode, encode_target


def figure(*values, binding=True):
    return Figure("a goal", 10, "s", values, "by hand", binding)


def test_one_slow_run_of_three_does_not_miss_the_goal():
    assert figure(9.0, 9.5, 30.0).verdict == "met"
    assert figure(9.0, 10.5, 11.0).verdict == "MISSED"


def test_a_smaller_run_is_not_judged():
    assert figure(99.0, binding=False).verdict == "not judged"


def test_the_table_has_a_row_a_figure_and_columns_that_line_up():
    lines = table([figure(1.0), figure(2.0, 30.0, 4.0)]).splitlines()

    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
    assert "4 s" in lines[3]
    assert "2 to 30 (3 runs)" in lines[3]


def test_a_command_is_charged_for_its_own_work_and_memory(tmp_path):
    busy = (
        "import time; b = bytearray(200_000_000)\nwhile time.process_time() < 0.3: pass\nprint(7)"
    )

    idle = run([sys.executable, "-c", "import time; time.sleep(0.3)"], own_environment(tmp_path))
    cost = run([sys.executable, "-c", busy], own_environment(tmp_path))

    assert cost.output == "7\n"
    assert cost.cpu >= 0.3
    assert idle.wall >= 0.3
    assert idle.cpu < cost.cpu
    assert cost.peak - idle.peak > 150e6


def test_a_command_that_fails_gives_no_figure(tmp_path):
    with pytest.raises(BenchmarkError, match=r"exited with 3:\nno such customer"):
        run(
            [
                sys.executable,
                "-c",
                "import sys; print('no such customer', file=sys.stderr); sys.exit(3)",
            ],
            own_environment(tmp_path),
        )


def test_a_measured_run_cannot_see_the_users_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ZENML_ACTIVE_STACK_ID", "mine")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine.db")

    environment = own_environment(tmp_path)

    assert environment["HOME"] == environment["ZENML_CONFIG_PATH"].removesuffix("/zenml")
    assert not {"ZENML_ACTIVE_STACK_ID", "MLFLOW_TRACKING_URI"} & set(environment)
    assert environment["PATH"] == os.environ["PATH"]


def training(*, cpu=10.0, wall=20.0, seconds=10.0, domain=0.0, drawing=0.0, ran=()):
    return Training(Cost(wall, cpu, 0, ""), seconds, domain, drawing, list(ran))


@pytest.fixture
def trainings(monkeypatch, tmp_path):
    """Trainings that were made already: their costs are stated, nothing runs."""
    made = Trainings(runs=3, quick=False, folder=tmp_path)
    queues = {"full": [], "quick": [], "deep": []}
    trained = []

    def train(self, state, profile):
        trained.append((state.name, profile))
        return queues[profile].pop(0)

    monkeypatch.setattr(Trainings, "_train", train)
    made.queues, made.trained = queues, trained
    return made


def test_every_goal_file_is_judged_by_the_table():
    folder = Path(benchmarks.__file__).parent
    files = {path.stem for path in folder.glob("goal_*.py")}

    assert files == {f"goal_{name}" for name in GOALS}
    for name, measure in GOALS.items():
        assert measure.__module__ == f"benchmarks.goal_{name}"


def test_what_takes_minutes_is_measured_only_when_asked_for():
    usual = set(GOALS) - set(LONG)

    assert set(chosen(parser().parse_args([]))) == usual
    assert set(chosen(parser().parse_args(["--deep"]))) == usual | {"deep"}
    assert len(usual) > len(LONG)
    assert set(chosen(parser().parse_args([f"--{name}" for name in LONG]))) == set(GOALS)
    assert chosen(parser().parse_args(["--only", "deep"])) == ["deep"]


def test_a_goal_without_a_figure_fails_and_leaves_the_others_their_rows(monkeypatch, capsys):
    def broken(trainings):
        raise BenchmarkError("the cache was empty")

    monkeypatch.setitem(GOALS, "rerun", broken)
    monkeypatch.setitem(GOALS, "command_line", lambda trainings: iter([figure(1.0)]))

    code = main(["--only", "rerun", "--only", "command_line"])

    output = capsys.readouterr().out
    assert code == 1
    assert "| a goal " in output
    assert "No figure for rerun: the cache was empty" in output
    assert main(["--only", "command_line"]) == 0


def test_what_the_domain_draws_for_an_artifact_is_not_zenmls(trainings):
    trainings.queues["full"] = [training(seconds=50.0, domain=30.0, drawing=12.0)] * 3

    (figure,) = goal_orchestration.measure(trainings)

    assert figure.values == pytest.approx([16.0] * 3)
    assert figure.verdict == "met"


def test_a_profile_is_trained_once_however_many_goals_ask_for_it(trainings):
    trainings.queues["quick"] = [training(cpu=cpu) for cpu in (40.0, 61.0, 62.0)]
    trainings.queues["deep"] = [training(wall=12 * 60.0)]

    (first,), (again,) = (list(goal_quick.measure(trainings)) for _ in range(2))
    (deep,) = goal_deep.measure(trainings)

    assert first.values == again.values == (40.0, 61.0, 62.0)
    assert (first.verdict, deep.verdict, deep.values) == ("MISSED", "met", (12.0,))
    assert [name for name, _ in trainings.trained] == ["quick-0", "quick-1", "quick-2", "deep-0"]


def test_a_rerun_in_which_a_step_was_not_cached_gives_no_figure(trainings):
    trainings.queues["full"] = [
        *[training()] * 3,
        *[training(ran=["register_model"])] * 2,
        training(ran=["register_model", "measure_protocol"]),
    ]

    with pytest.raises(BenchmarkError, match=r"ran again: measure_protocol$"):
        trainings.cached()
    assert [name for name, _ in trainings.trained[3:]] == ["full-0"] * 3


def test_reasons_are_judged_by_the_middle_of_their_rounds(monkeypatch, trainings):
    costs = ReasonCosts("gbm", reasons=(1.0, 1.3, 9.0), bare=(1.0, 1.0, 1.0))
    output = json.dumps({costs.model: costs.ratios})
    monkeypatch.setattr(goal_reasons, "run", lambda *_: Cost(1.0, 1.0, 0, output))

    (figure,) = goal_reasons.measure(trainings)

    assert (figure.median, figure.verdict) == (1.3, "MISSED")
    assert "| gbm | 1.30 s | 1.00 s | 1.30 | 1.00 to 9.00 | 1.2: MISSED |" in cost_table([costs])


def test_scale_is_judged_by_the_fits_seconds_and_the_process_memory(monkeypatch, trainings):
    costs = iter([Cost(90.0, 80.0, peak, f'{{"seconds": {s}}}') for s, peak in SCALE])
    monkeypatch.setattr(goal_scale, "run", lambda *_: next(costs))

    seconds, memory = goal_scale.measure(trainings)

    assert (seconds.median, seconds.verdict) == (59.0, "met")
    assert (memory.median, memory.verdict) == (1.6, "MISSED")


SCALE = ((50.0, 1_400_000_000), (59.0, 1_600_000_000), (70.0, 1_700_000_000))


def test_generated_customers_stay_within_the_contract_and_are_not_the_same_ones(telco):
    columns, target = (
        encode(telco.frame, telco.contract),
        encode_target(telco.frame, telco.contract),
    )

    made, left = generate(columns, target, telco.contract, rows=20_000, seed=1)

    assert len(left) == 20_000
    assert abs(left.mean() - target.mean()) < 0.02
    tenure = telco.contract.column("tenure")
    assert made["tenure"].min() == tenure.minimum  # a month less would be outside
    assert 60 < made["tenure"].max() <= tenure.maximum
    assert np.array_equal(made["tenure"], np.round(made["tenure"]))
    assert len(np.unique(made["MonthlyCharges"])) > 2 * len(np.unique(columns["MonthlyCharges"]))


def test_the_service_is_judged_by_ratios_of_the_same_round(monkeypatch, trainings):
    def runs(*cpus):
        return [Run(cpu, 1000.0, 3.0, 9.0) for cpu in cpus]

    runs_by_side = {
        "empty": runs(80.0, 100.0, 90.0),
        "score": runs(88.0, 100.0, 126.0),
        "score_plain": runs(92.0, 115.0, 108.0),
        "contributions": runs(300.0, 200.0, 250.0),
        "reasons": runs(300.0, 100.0, 250.0),
        "counterfactuals": runs(600.0, 240.0, 200.0),
    }
    workers = {"1": runs(100.0, 100.0, 100.0), "2": runs(105.0, 130.0, 90.0)}
    output = evidence_service.figures(
        runs_by_side, ([0.7, 0.8, 0.9], [99.0, 101.0, 180.0]), workers
    )
    seen = {"workers": [1.6, 2.0, 2.1]}
    monkeypatch.setattr(
        goal_service,
        "run",
        lambda command, *_: Cost(
            1.0, 1.0, 0, json.dumps(seen if "benchmarks.evidence_workers" in command else output)
        ),
    )
    judged = [
        (pytest.approx(1.1), "MISSED"),
        (pytest.approx(1.15), "met"),
        (1.0, "met"),
        (1.2, "MISSED"),
        (0.8, "met"),
        (101.0, "met"),
    ]
    for held, workers in ((False, [(1.05, "met")]), (True, [(1.0, "met")])):
        monkeypatch.setattr(goal_service, "held_here", lambda held=held: held)

        figures = list(goal_service.measure(trainings))

        assert [(figure.median, figure.verdict) for figure in figures] == judged + workers


@pytest.mark.optional  # only root can make one
def test_a_process_is_held_to_a_share_of_a_core_and_let_go_again():
    if not control_groups.held_here():
        pytest.skip("no control group can be made here")
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with control_groups.held([busy.pid], 0.2):
            group = Path(f"/proc/{busy.pid}/cgroup").read_text(encoding="ascii")
            assert f"churn-benchmark-{busy.pid}" in group
        group = Path(f"/proc/{busy.pid}/cgroup").read_text(encoding="ascii")
        assert "churn-benchmark" not in group
    finally:
        busy.kill()
        busy.wait()


def test_peers_are_judged_by_our_cost_over_theirs(monkeypatch, trainings):
    runs_by_side = {
        "ours": [Run(100.0, 1.0, 1.0, 1.0)] * 3,
        "mlserver": [Run(cpu, 1.0, 1.0, 1.0) for cpu in (700.0, 1000.0, 1200.0)],
        "mlflow": [Run(cpu, 1.0, 1.0, 1.0) for cpu in (9000.0, 9500.0, 20000.0)],
    }
    output = json.dumps(evidence_peers.ratios(runs_by_side))
    monkeypatch.setattr(goal_peers, "run", lambda *_: Cost(1.0, 1.0, 0, output))

    mlserver, mlflow = goal_peers.measure(trainings)

    assert (mlserver.median, mlserver.verdict) == (0.1, "met")
    assert (mlflow.median, mlflow.verdict) == (pytest.approx(1 / 95), "MISSED")


def test_a_servers_cost_is_that_of_all_its_processes(tmp_path):
    """A server whose child does the work, asked over several connections."""
    program = (
        "import os, sys, time\n"
        "from http.server import BaseHTTPRequestHandler, HTTPServer\n"
        "class Answer(BaseHTTPRequestHandler):\n"
        "    protocol_version = 'HTTP/1.1'\n"
        "    def do_GET(self):\n"
        "        until = time.process_time() + (0.05 if self.path == '/work' else 0)\n"
        "        while time.process_time() < until: pass\n"
        "        self.send_response(200)\n"
        "        self.send_header('content-length', '0')\n"
        "        self.end_headers()\n"
        "    def log_message(self, *_): pass\n"
        "if os.fork() == 0: HTTPServer(('127.0.0.1', int(sys.argv[1])), Answer).serve_forever()\n"
        "time.sleep(600)\n"
    )
    sent = requests(tmp_path / "work", "GET", "/work", [b""])

    with started([sys.executable, "-c", program, "{port}"], {}, "/") as server:
        run = load(server, sent, 8, 1)
        child = [pid for pid, _ in server._processes() if pid != server.process.pid]

    assert run.cpu > 45_000  # each of them worked for 50 ms
    assert len(child) == 1
    until = time.monotonic() + 30
    while is_running(child[0]):
        assert time.monotonic() < until
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Where nobody waits for orphans, a dead one stays listed."""
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
