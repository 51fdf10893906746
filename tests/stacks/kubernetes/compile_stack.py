"""Compiles the training for the stack 'kubernetes' and writes what would be created, as JSON.

In a process and a ZenML configuration of its own: `compile_stack.py ANSWER STATE`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))


def main(answer: Path, state: Path) -> None:
    """Applies the stack without its server, compiles, renders."""
    from runner.silence import silence_libraries

    silence_libraries(verbose=False)
    from runner.dry_run import compile_pipeline
    from runner.execute import configure_pipeline, pipeline_parameters
    from runner.request import RunRequest, prepare_run
    from stacks.apply import activate, apply_stack
    from stacks.kubernetes.manifests import render_jobs

    request = RunRequest("training", "kubernetes", overrides=(f"output.folder={state}",))
    prepared = prepare_run(request)
    from zenml.client import Client

    for name, keys in prepared.spec.secrets.items():
        Client().create_secret(name, values=dict.fromkeys(keys, "https://set.example"))
    values = {"state": str(state)}
    stack = apply_stack(prepared.spec.model_copy(update={"server": None}), values)
    activate(stack)
    spec = prepared.spec.resolved(values)
    tracker = {"name": stack.tracker, "experiment": "", "uri": ""}
    configured = configure_pipeline(prepared, request, stack, "compiled")
    configured.prepare(**pipeline_parameters(prepared, stack, tracker))
    snapshot = compile_pipeline(configured)
    found = {
        "manifests": render_jobs(snapshot, spec),
        "steps": {
            name: {
                "after": step.spec.upstream_steps,
                "parameters": step.config.parameters,
                "retries": step.config.retry.max_retries if step.config.retry else 0,
            }
            for name, step in snapshot.step_configurations.items()
        },
        "torch": "torch" in sys.modules,
    }
    answer.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
