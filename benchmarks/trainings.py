"""Training runs that several goals are read from: each made once, in a state of its own."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measuring import BenchmarkError, Cost, own_environment, run

# Asks ZenML, in the run's own state, how long the domain's calls took, and what was cached.
_ASK = """
import json, sys
from zenml.client import Client
steps = Client().get_pipeline_run(sys.argv[1]).steps.values()
print(json.dumps({
    "domain": sum(float(s.run_metadata.get("domain_seconds", 0)) for s in steps),
    "cached": sum(s.status == "cached" for s in steps),
    "steps": len(steps),
}))
"""


@dataclass(frozen=True)
class Training:
    """One run of the training pipeline.

    Attributes:
        cost: Of the whole process, imports included.
        seconds: Wall seconds of the run itself, after imports, as `run.py --json` gives them.
        domain: Seconds that the steps spent in calls of the domain.
        cached: How many steps came from the cache.
        steps: How many there are.
    """

    cost: Cost
    seconds: float
    domain: float
    cached: int
    steps: int


@dataclass
class Trainings:
    """Makes fresh runs, and reruns of each, when asked for."""

    runs: int
    quick: bool
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="churn-bench-")))
    _fresh: list[Training] = field(default_factory=list)

    def fresh(self) -> list[Training]:
        """Runs in a state that knows nothing yet."""
        while len(self._fresh) < self.runs:
            self._fresh.append(self._train(self.folder / f"state-{len(self._fresh)}"))
        return self._fresh

    def cached(self) -> list[Training]:
        """Reruns in the state of the first fresh run.

        Raises:
            BenchmarkError: fewer steps than expected came from the cache.
        """
        self.fresh()
        again = [self._train(self.folder / "state-0") for _ in range(self.runs)]
        for training in again:
            # Registering looks at what is registered, so it runs every time.
            if training.cached < training.steps - 2:
                raise BenchmarkError(
                    f"only {training.cached} of {training.steps} steps came from the cache"
                )
        return again

    @property
    def profile(self) -> str:
        """What the figures were taken on, in words."""
        return "profile=quick" if self.quick else "the default profile"

    def _train(self, state: Path) -> Training:
        state.mkdir(parents=True, exist_ok=True)
        environment = own_environment(state)
        command = [sys.executable, "run.py", "--pipeline", "training", "--json"]
        command += ["--set", f"output.folder={state / 'output'}"]
        command += ["--set", "profile=quick"] if self.quick else []
        cost = run(command, environment)
        told = json.loads(cost.output)
        asked = run([sys.executable, "-c", _ASK, told["run_id"]], environment)
        return Training(
            cost, float(told["seconds"]), **json.loads(asked.output.strip().splitlines()[-1])
        )
