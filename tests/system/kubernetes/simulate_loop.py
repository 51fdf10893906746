"""Runs the CronJob `churn-retraining` without a cluster: `python tests/system/kubernetes/simulate_loop.py`.

A first version is promoted and two windows raise an alarm; then the CronJob's own job is started
twice, its script given a demonstration's settings. The first start runs a whole loop, whose every
pipeline runs in pods; the second has nothing to do. What is real and what is fake is in
simulate_cluster.py. Takes a quarter of an hour, so it is no test.
"""

from __future__ import annotations

import shlex
import sys
import time
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from simulate_cluster import NAMESPACE, Cluster, simulated_cluster  # noqa: E402

from churn.contract import load_contract  # noqa: E402
from churn.data.sources import open_source, whole_table  # noqa: E402
from churn.ledger.retraining_events import RetrainingEvent, RetrainingLedger  # noqa: E402
from churn.retraining.record import build_record  # noqa: E402
from runner.demonstration import CONTRACT, FLOORS, GATES, MODEL, RISE, ROWS  # noqa: E402
from runner.loop_run import as_yaml  # noqa: E402
from runner.retraining_demo import SMALL  # noqa: E402
from tests.servers.cloud_servers import BUCKET  # noqa: E402
from tests.servers.kustomize import render_manifests  # noqa: E402
from tests.servers.process import free_port  # noqa: E402

TABLE = "labelled.csv"
MOST_MINUTES = 60


def main() -> int:
    """Prints what each start says and what the ledger has; 0 where the loop went as it says."""
    with simulated_cluster() as cluster:
        codes = _first_version_and_alarms(cluster)
        _bring_snapshot(cluster)
        settings = {
            "profile": "demo",
            "rules.probation.days": 0,
            "runs": {
                "training": SMALL,
                "promotion": {"floors": FLOORS, "gates": GATES},
                "deployment": {"local": {"port": free_port()}},
            },
        }
        said = [_start(cluster, number, settings) for number in (1, 2)]
        events = _events(cluster)
    _print(f"exit codes before the loop: {codes}")
    _print("\n".join(f"{each.kind}: {', '.join(sorted(each.facts))}" for each in events))
    went = codes == [0, 0, 3, 3] and all(code == 0 for code, _ in said)
    # The CronJob's exit code is 0 after a loop that kept its champion, too.
    went = went and events[-1].kind == "closed" and build_record(events).status == "promoted"
    return 0 if went and "Nothing to do" in said[1][1] else 1


def _first_version_and_alarms(cluster: Cluster) -> list[int]:
    """On the stack `cloud`, whose servers are the same: what came before the loop is no matter here."""
    run = ["--stack", "cloud", "--set", "profile=demo"]
    run += ["--set", f"output.folder={cluster.folder / 'out'}"]
    first = {"data.source": f"generated:{ROWS}?seed=1", **SMALL}
    codes = [
        cluster.run(["--pipeline", "training", *run, *_given(first)]),
        cluster.run(["--pipeline", "promotion", *run, *_given({"floors": FLOORS})]),
    ]
    for week in (4, 5):
        window = {"batch": f"generated:2000?seed={100 + week}&{RISE}"}
        codes.append(cluster.run(["--pipeline", "monitoring", *run, *_given(window)]))
    return codes


def _given(settings: dict[str, Any]) -> list[str]:
    return [f"--set={name}={as_yaml(value)}" for name, value in settings.items()]


def _bring_snapshot(cluster: Cluster) -> None:
    source = open_source(f"generated:{ROWS}?seed=32&{RISE}", load_contract(CONTRACT))
    file = cluster.folder / TABLE
    whole_table(source).to_pandas().to_csv(file, index=False)
    cluster.bucket.put(TABLE, file)


def _start(cluster: Cluster, number: int, settings: dict[str, Any]) -> tuple[int, str]:
    """What `kubectl create job --from=cronjob/churn-retraining` starts: exit code and log of its pod."""
    (cronjob,) = (
        each
        for each in render_manifests("pipelines")
        if (each["kind"], each["metadata"]["name"]) == ("CronJob", "churn-retraining")
    )
    spec = cronjob["spec"]["jobTemplate"]["spec"] | {"backoffLimit": 0}
    (container,) = spec["template"]["spec"]["containers"]
    ours = " ".join(shlex.quote(each) for each in _given(settings))
    trigger = "--set trigger=policy"
    assert trigger in container["args"][0]
    container["args"] = [container["args"][0].replace(trigger, f"{trigger} {ours}")]
    (source,) = (each for each in container["env"] if each["name"] == "RETRAINING_SOURCE")
    source["value"] = f"s3://{BUCKET}/{TABLE}"
    name = f"churn-retraining-{number}"
    metadata = {"name": name, "namespace": NAMESPACE, "uid": str(uuid.uuid4())}
    job = {"kind": "Job", "metadata": metadata, "spec": spec, "status": {}}
    began = time.monotonic()
    cluster.state.things["jobs", name] = job
    cluster.state.start(job)
    while "conditions" not in job["status"] and time.monotonic() - began < 60 * MOST_MINUTES:
        time.sleep(1)
    (log,) = (p for pod, p in cluster.state.logs.items() if pod.startswith(f"{name}-"))
    text = log.read_text(errors="replace")
    code = 0 if job["status"].get("conditions", [{}])[0].get("type") == "Complete" else 1
    _print(f"\n{name}: {code}, {time.monotonic() - began:.0f} s\n{text}")
    return code, text


def _events(cluster: Cluster) -> list[RetrainingEvent]:
    with RetrainingLedger(cluster.environment["STACK_LEDGER_URL"]) as ledger:
        return [each for each in ledger.events(MODEL) if each.kind != "renewed"]


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
