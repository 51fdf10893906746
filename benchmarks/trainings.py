"""Training runs that several goals are read from: each made once, in a state of its own."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measuring import BenchmarkError, Cost, own_environment, run

# Asks ZenML, in the run's own state, how long the domain's calls took, and what was cached. What
# the domain draws of an artifact is drawn after its step's function returned, so that time is the
# artifact's.
_ASK = """
import json, sys
from zenml.client import Client
steps = Client().get_pipeline_run(sys.argv[1]).steps
print(json.dumps({
    "domain": sum(float(s.run_metadata.get("domain_seconds", 0)) for s in steps.values()),
    "drawing": sum(
        float(artifact.run_metadata.get("drawing_seconds", 0))
        for s in steps.values() for versions in s.outputs.values() for artifact in versions
    ),
    "ran": [name for name, s in steps.items() if s.status != "cached"],
}))
"""

# These look at what is registered, so they run every time.
ALWAYS = frozenset({"register_model"})


@dataclass(frozen=True)
class Training:
    """One run of the training pipeline.

    Attributes:
        cost: Cost of the whole process, imports included.
        seconds: Wall seconds of the run itself, after imports, as `run.py --json` gives them.
        domain: Seconds that the steps spent in calls of the domain.
        drawing: Seconds that the domain spent drawing the artifacts' pages and pictures.
        ran: Names of the steps that did not come from the cache.
    """

    cost: Cost
    seconds: float
    domain: float
    drawing: float
    ran: list[str]

    def require_cached(self) -> None:
        """Makes sure that the run was a fully cached one.

        Raises:
            BenchmarkError: a step ran that should have come from the cache.
        """
        if again := [name for name in self.ran if name not in ALWAYS]:
            raise BenchmarkError(f"of a cached rerun these steps ran again: {', '.join(again)}")


@dataclass
class Trainings:
    """Makes fresh runs, and reruns, when asked for.

    Attributes:
        runs: How many a figure is the median of.
        quick: Whether profile=quick stands in for the default one.
        folder: Where the runs' states lie.
    """

    runs: int
    quick: bool
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="churn-bench-")))
    _fresh: dict[str, list[Training]] = field(default_factory=dict)

    def fresh(self, profile: str = "", *, runs: int = 0) -> list[Training]:
        """Runs in a state that knows nothing yet, each made once however often it is asked for.

        Args:
            profile: Another one than the figures are taken on.
            runs: Another number of them.
        """
        profile = profile or self.profile
        made = self._fresh.setdefault(profile, [])
        while len(made) < (runs or self.runs):
            made.append(self._train(self._state(profile, len(made)), profile))
        return made

    def cached(self) -> list[Training]:
        """Reruns in the state of the first fresh run.

        Raises:
            BenchmarkError: a step ran that should have come from the cache.
        """
        self.fresh()
        state = self._state(self.profile, 0)
        again = [self._train(state, self.profile) for _ in range(self.runs)]
        for training in again:
            training.require_cached()
        return again

    def trained_state(self) -> Path:
        """The state of the first fresh run, for what starts from a trained model."""
        self.fresh(runs=1)
        return self._state(self.profile, 0)

    @property
    def profile(self) -> str:
        """What the figures are taken on, as `--set profile=` has it."""
        return "quick" if self.quick else "full"

    @property
    def taken_on(self) -> str:
        """What the figures are taken on, in words."""
        return "profile=quick" if self.quick else "the default profile"

    def _state(self, profile: str, number: int) -> Path:
        return self.folder / f"{profile}-{number}"

    def _train(self, state: Path, profile: str) -> Training:
        state.mkdir(parents=True, exist_ok=True)
        environment = own_environment(state)
        command = [sys.executable, "run.py", "--pipeline", "training", "--json"]
        command += ["--set", f"output.folder={state / 'output'}"]
        command += ["--set", f"profile={profile}"]
        cost = run(command, environment)
        outcome = json.loads(cost.output)
        answer = run([sys.executable, "-c", _ASK, outcome["run_id"]], environment)
        figures = json.loads(answer.output.strip().splitlines()[-1])
        return Training(cost, float(outcome["seconds"]), **figures)
