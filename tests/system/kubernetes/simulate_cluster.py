"""Runs the stack 'kubernetes' from end to end without a cluster: `python tests/system/kubernetes/simulate_cluster.py`.

Real: `run.py`, ZenML's Kubernetes orchestrator, its server on MariaDB with authentication, MLflow's
on PostgreSQL, a bucket, the manifests of deployment/manifests/kubernetes/pipelines and every right
in them. Fake: the API server (tests/servers/fake_kubernetes_api.py) and the container runtime
(pods.py). For root on Linux; takes a quarter of an hour, so it is no test.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from pods import Machine  # noqa: E402

from tests.servers import cloud_servers, databases  # noqa: E402
from tests.servers.fake_kubernetes_api import State, api_server, rights_of  # noqa: E402
from tests.servers.kustomize import render_manifests  # noqa: E402

NAMESPACE = "churn-pipelines"
ME, ORCHESTRATOR = "token-of-a-person", "token-of-the-orchestrator"
RUNNER = "token-of-the-schedule"


@dataclass
class Cluster:
    """The simulated cluster with its servers.

    Attributes:
        folder: what is written lies below it, and is deleted at the end.
        environment: of a person who has exported churn.env.
        bucket: its bucket.
        state: what the API server holds.
        machine: where pods run.
    """

    folder: Path
    environment: dict[str, str]
    bucket: cloud_servers.Bucket
    state: State
    machine: Machine

    def run(self, arguments: list[str]) -> int:
        """Runs `run.py` as a person does, and returns its exit code."""
        _print(f"\n$ run.py {' '.join(arguments)}")
        ended = subprocess.run(
            [sys.executable, str(ROOT / "run.py"), *arguments],
            env=self.environment,
            cwd="/",
            check=False,
        )
        _print(f"exit {ended.returncode}")
        return ended.returncode


@contextmanager
def simulated_cluster() -> Iterator[Cluster]:
    """Starts everything; at the end prints which rights were used, and keeps the pods' logs."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="churn-simulated-cluster-"))
        )
        folder.chmod(0o755)
        for place in (Path("/app"), Path("/venv"), Path("/state")):
            if not place.exists():
                place.mkdir()
                stack.callback(place.rmdir)
        environment, bucket = _start_servers(stack, folder)
        state = _state()
        server = stack.enter_context(api_server(_folder(folder / "pods"), state))
        certificate = folder / "ca.crt"
        certificate.write_text(server.certificate)
        machine = Machine(
            app=_image(_folder(folder / "app")),
            api=("127.0.0.1", server.port),
            certificate=certificate,
            tokens={"churn-orchestrator": ORCHESTRATOR, "churn-runner": RUNNER},
            secrets={
                "churn-steps": _for_steps(environment),
                "churn-runner": _for_runs(environment),
            },
            hidden=Path(os.environ.get("SIMULATION_HIDES", ROOT)),
        )
        state.on_pod = machine.run
        environment |= {
            "KUBECONFIG": str(server.kubeconfig(folder / "kubeconfig", ME)),
            "COLUMNS": "120",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield Cluster(folder, environment, bucket, state, machine)
        _report(state, machine, folder)


def main(arguments: list[str]) -> int:
    """Runs every pipeline but deployment and the retraining loop, which is `simulate_loop.py`."""
    options = arguments or ["--set", "profile=demo"]
    with simulated_cluster() as cluster:
        output = ["--set", f"output.folder={cluster.folder / 'out'}"]
        codes = [cluster.run(["--doctor", "--stack", "kubernetes"])]
        for pipeline in (
            "features",
            "training",
            "training",
            "promotion",
            "monitoring",
            "retention",
        ):
            run = ["--pipeline", pipeline, "--stack", "kubernetes", "--set", "profile=demo"]
            window = ["--set", "batch=generated:500"] if pipeline == "monitoring" else []
            codes.append(cluster.run([*run, *output, *window, *options[2:]]))
        codes.append(_run_batch(cluster))
    return max(codes)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _run_batch(cluster: Cluster) -> int:
    """Scores the shipped customers from the bucket into the bucket; a pod's own folder is refused."""
    place = f"s3://{cloud_servers.BUCKET}"
    run = ["--pipeline", "batch_inference", "--stack", "kubernetes", "--set", "profile=demo"]
    run += ["--set", f"input={place}/customers.csv"]
    refused = cluster.run([*run, "--set", "output=/state/scores"])
    code = cluster.run([*run, "--set", f"output={place}/scores"])
    return code if refused == 2 else 1


def _start_servers(stack: ExitStack, folder: Path) -> tuple[dict[str, str], cloud_servers.Bucket]:
    database = stack.enter_context(databases.postgres())
    bucket = stack.enter_context(cloud_servers.bucket())
    bucket.put("customers.csv", ROOT / "data" / "raw" / "telco.csv")
    zenml = stack.enter_context(
        cloud_servers.zenml_server(stack.enter_context(databases.mariadb()))
    )
    mlflow = stack.enter_context(cloud_servers.mlflow_server(database.create("mlflow"), bucket))
    environment = {
        **os.environ,
        # So that nothing changes the ZenML configuration of the person who runs this.
        "ZENML_CONFIG_PATH": str(folder / "zenml"),
        **cloud_servers.cloud_environment(zenml, bucket, mlflow.url, database.create("ledger")),
        "STACK_KUBE_CONTEXT": "kind-churn",
        "STACK_REGISTRY": "registry.example",
        "STACK_PIPELINE_IMAGE": "registry.example/churn-pipeline:0.1.0",
    }
    cloud_servers.make_secret(environment, mlflow_password=mlflow.password)
    return environment, bucket


def _for_steps(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("AWS_")}


def _for_runs(environment: dict[str, str]) -> dict[str, str]:
    return {n: value for n, value in environment.items() if n.startswith(("AWS_", "STACK_"))}


def _state() -> State:
    """Returns the cluster after `kubectl apply -k deployment/manifests/kubernetes/pipelines` and the steps' secret."""
    manifests = render_manifests("pipelines")
    orchestrator = f"system:serviceaccount:{NAMESPACE}:churn-orchestrator"
    runner = f"system:serviceaccount:{NAMESPACE}:churn-runner"
    accounts = {
        ("serviceaccounts", each["metadata"]["name"]): each
        for each in manifests
        if each["kind"] == "ServiceAccount"
    }
    return State(
        namespaces={NAMESPACE},
        accounts={ME: "me", RUNNER: runner, ORCHESTRATOR: orchestrator},
        rights={
            "me": rights_of(manifests, "churn-runner"),
            runner: rights_of(manifests, "churn-runner"),
            orchestrator: rights_of(manifests, "churn-orchestrator"),
        },
        things={**accounts, ("secrets", "churn-steps"): {"metadata": {"name": "churn-steps"}}},
    )


def _image(app: Path) -> Path:
    """Copies into the folder what the Dockerfile's target `pipeline` copies into /app."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    target = dockerfile.split(" AS pipeline\n")[1].split("\nFROM ")[0]
    for line in re.findall(r"^COPY (?!--from)(.+)$", target, re.MULTILINE):
        *sources, goal = line.split()
        for source in sources:
            place = app if goal == "./" else (app / goal).parent
            subprocess.run(["cp", "-r", str(ROOT / source), str(place)], check=True)
    return app


def _folder(place: Path) -> Path:
    place.mkdir()
    place.chmod(0o755)
    return place


def _report(state: State, machine: Machine, folder: Path) -> None:
    _print("\nrights that were used:")
    for who, group, resource, verb, granted in sorted(state.used):
        _print(f"  {who:60} {verb:7} {group}/{resource} {'' if granted else 'REFUSED'}")
    _print("\npods:")
    for pod, peak in machine.peaks.items():
        _print(f"  {pod:60} {machine.seconds[pod]:6.1f} s  {peak:7.0f} MiB")
    logs = Path(os.environ.get("SIMULATION_LOGS", "/tmp/churn-simulated-cluster-logs"))
    subprocess.run(["cp", "-rT", str(folder / "pods"), str(logs)], check=True)
    (logs / "jobs.json").write_text(
        json.dumps([job for (kind, _), job in state.things.items() if kind == "jobs"], indent=1)
    )
    _print(f"\nlogs: {logs}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
