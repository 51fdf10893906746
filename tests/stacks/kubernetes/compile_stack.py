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
    from runner.silence import hush

    hush(verbose=False)
    from runner.execute import Request, configured_pipeline, pipeline_parameters, prepare
    from stacks.apply import activate, apply_stack
    from stacks.kubernetes.manifests import render
    from stacks.kubernetes.resources import for_pods
    from stacks.run_settings import pipeline_options

    request = Request("training", "kubernetes", overrides=(f"output.folder={state}",))
    ready = prepare(request)
    from zenml.client import Client

    for name, keys in ready.spec.secrets.items():
        Client().create_secret(name, values=dict.fromkeys(keys, "https://set.example"))
    values = {"state": str(state)}
    stack = apply_stack(ready.spec.model_copy(update={"server": None}), values)
    activate(stack)
    spec = ready.spec.resolved(values)
    tracker = {"name": stack.tracker, "experiment": "", "uri": ""}
    configured = configured_pipeline(ready, request, stack, "compiled")
    options = for_pods(pipeline_options(spec.run, "training"), spec)
    # ZenML 0.98 drops what `with_options(steps=...)` is given; here it takes it.
    steps = options.pop("steps")
    configured = configured.with_options(**options)
    configured._run_args = {"steps": steps}
    configured.prepare(**pipeline_parameters(ready, stack, tracker))
    snapshot, _, _ = configured._compile(**configured._run_args)
    found = {
        "manifests": render(snapshot, spec),
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
