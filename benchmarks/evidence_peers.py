"""What a score costs over HTTP, beside MLServer's LightGBM runtime and `mlflow models serve`.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_peers [--rounds 3] [--json]

MLServer runs in an environment of its own (requirements-mlserver.txt, made once under .churn), with
`parallel_workers: 0`, the blend's trees, and rows that are encoded already. MLflow serves the blend as
a training run logs it: a pyfunc with a signature, raw rows as a DataFrame. Both do less than our
side, which checks a key and keeps a ledger.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from benchmarks.evidence_service import Prepared, as_the_trees_see, prepare
from benchmarks.measuring import ROOT, BenchmarkError
from benchmarks.serving import Run, Side, alternating, requests
from churn.home import home

REQUIREMENTS = Path(__file__).with_name("requirements-mlserver.txt")
COUNT, FEW = 8000, 320
LOGGING = """
import sys
from pathlib import Path
import mlflow
from benchmarks.evidence_service import fitted
from churn.home import home
from registry.mlflow_tracking import model_signature
folder, root = Path(sys.argv[1]), Path(sys.argv[2])
model, _ = fitted(folder)
model.save(folder / "fitted")
mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
mlflow.pyfunc.save_model(
    str(folder / "logged"), python_model=str(root / "registry" / "mlflow_model.py"),
    artifacts={"model": str(folder / "fitted")}, code_paths=[str(root / "churn")],
    signature=model_signature(), pip_requirements=[],
)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            prepared = prepare(Path(folder))
            sides = {
                "ours": prepared.score(COUNT),
                "mlserver": mlserver(prepared),
                "mlflow": mlflow(prepared),
            }
            runs_by_side = alternating(sides, options.rounds)
        except (BenchmarkError, subprocess.CalledProcessError) as error:
            print(f"No figures: {error}", file=sys.stderr)
            return 1
    print(json.dumps(ratios(runs_by_side)) if options.json else table(runs_by_side))
    return 0


def mlserver(prepared: Prepared) -> Side:
    """MLServer with the blend's trees."""
    home = environment(REQUIREMENTS)
    trees, encoded = as_the_trees_see(prepared)
    folder = prepared.folder / "mlserver"
    folder.mkdir()
    # LightGBM's own text, under the name that the runtime looks for.
    (folder / "model.bst").write_bytes(trees.read_bytes())
    settings = {
        "name": "churn",
        "implementation": "mlserver_lightgbm.LightGBMModel",
        "parameters": {"uri": "./model.bst"},
    }
    (folder / "model-settings.json").write_text(json.dumps(settings), encoding="utf-8")
    ports = {"http_port": "{port}", "grpc_port": 0, "metrics_port": 0}
    bodies = []
    for row in map(json.loads, encoded):
        tensor = {"name": "x", "datatype": "FP64", "shape": [1, len(row)], "data": row}
        bodies.append(json.dumps({"inputs": [tensor]}).encode())
    variables = {f"MLSERVER_{name.upper()}": str(value) for name, value in ports.items()}
    variables |= {"MLSERVER_HOST": "127.0.0.1", "MLSERVER_PARALLEL_WORKERS": "0"}
    return Side(
        [home / "bin" / "mlserver", "start", folder],
        requests(prepared.folder / "infer", "POST", "/v2/models/churn/infer", bodies),
        COUNT // 4,
        variables,
        "/v2/models/churn/ready",
    )


def mlflow(prepared: Prepared) -> Side:
    """MLflow's scoring server with the same blend, logged as a training run logs it."""
    subprocess.run([sys.executable, "-c", LOGGING, prepared.folder, ROOT], check=True, cwd=ROOT)
    bodies = []
    for customer in map(json.loads, prepared.customers[:FEW]):
        del customer["customerID"]
        values = [float(v) if isinstance(v, int | float) else v for v in customer.values()]
        split = {"columns": list(customer), "data": [values]}
        bodies.append(json.dumps({"dataframe_split": split}).encode())
    scripts = Path(sys.executable).parent  # mlflow looks for uvicorn on the path
    command: list[str | Path] = [scripts / "mlflow", "models", "serve", "--port", "{port}"]
    command += ["--model-uri", prepared.folder / "logged", "--env-manager", "local"]
    return Side(
        [*command, "--workers", "1"],
        requests(prepared.folder / "invocations", "POST", "/invocations", bodies),
        FEW,
        {
            "MLFLOW_TRACKING_URI": f"sqlite:///{prepared.folder}/mlflow.db",
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        },
        "/ping",
    )


def environment(file: Path) -> Path:
    """The folder of an environment that holds what a file pins; made where it is missing."""
    digest = hashlib.sha256(file.read_bytes() + sys.version.encode()).hexdigest()[:16]
    place = home() / "venvs" / digest
    complete = place.with_suffix(".complete")
    if not complete.exists():
        sys.path.insert(0, str(ROOT / "tools"))  # the installer imports its neighbour
        spec = spec_from_file_location("install", ROOT / "tools" / "install.py")
        assert spec is not None  # noqa: S101
        assert spec.loader is not None  # noqa: S101
        installer = module_from_spec(spec)
        spec.loader.exec_module(installer)
        if not installer.fetch_uv():
            raise BenchmarkError("uv cannot be had from the package index")
        python = str(place / "bin" / "python")
        for command in (
            ["venv", "--quiet", "--clear", "--python", sys.executable, str(place)],
            ["pip", "install", "--quiet", "--python", python, "-r", str(file)],
        ):
            subprocess.run([installer.UV, *command], env=installer.uv_environment(), check=True)
        complete.touch()
    return place


def ratios(runs_by_side: Mapping[str, Sequence[Run]]) -> dict[str, list[float]]:
    """Our CPU a request over that of each peer, a figure a round."""
    return {
        name: [ours.cpu / run.cpu for ours, run in zip(runs_by_side["ours"], runs, strict=True)]
        for name, runs in runs_by_side.items()
        if name != "ours"
    }


def table(runs_by_side: Mapping[str, Sequence[Run]]) -> str:
    """What each costs."""
    ours = statistics.median(run.cpu for run in runs_by_side["ours"])
    lines = [
        "| one worker, 32 connections | µs CPU a request | range | times ours | requests/s |",
        "|---|---|---|---|---|",
    ]
    for name, runs in runs_by_side.items():
        cpus = [run.cpu for run in runs]
        cpu, rate = statistics.median(cpus), statistics.median(run.rate for run in runs)
        lines.append(
            f"| {name} | {cpu:,.1f} | {min(cpus):,.1f} to {max(cpus):,.1f} | {cpu / ours:,.1f} "
            f"| {rate:,.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
