"""Checks what a stack needs: modules, environment variables, and its servers.

The servers are checked in parallel, each with a timeout of a few seconds, so that a stack whose
servers are all down takes no longer than one of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from churn.errors import ChurnError
from stacks.diagnosis import Diagnosis, network_reason
from stacks.kubernetes.resources import runs_in_pods
from stacks.requirements import missing_modules
from stacks.spec import StackSpec

Check = Callable[[StackSpec], Iterator[Diagnosis]]
_UNSET = re.compile(r"\$\{env:")


def check_stack(spec: StackSpec, values: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Yields a diagnosis of everything that a stack needs; none for one that needs nothing."""
    missing = missing_modules(spec)
    if spec.needs:
        yield Diagnosis(
            "modules",
            "broken" if missing else "fine",
            f"{', '.join(missing)} not installed" if missing else ", ".join(spec.needs),
            "make setup-stacks" if missing else "",
        )
    variables = spec.variables()
    unset = [name for name in variables if not os.environ.get(name)]
    if variables:
        yield Diagnosis(
            "variables",
            "broken" if unset else "fine",
            f"{', '.join(unset)} not set" if unset else f"all {len(variables)} are set",
            f"export {' '.join(f'{name}=...' for name in unset)}" if unset else "",
        )
    # A value with an unset variable keeps its placeholder, and its server is not checked.
    placeholders = {name: "${env:" + name + "}" for name in unset}
    try:
        filled = spec.resolved(values, {**os.environ, **placeholders})
    except ChurnError as error:
        yield Diagnosis("stack file", "broken", str(error), f"Correct {spec.file}.")
        return
    checks = list(stack_checks(filled, missing))
    if not checks:
        return
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        runs = [pool.submit(_run_check, subject, check, filled) for subject, check in checks]
        for run in runs:
            yield from run.result()


def stack_checks(spec: StackSpec, missing: list[str]) -> Iterator[tuple[str, Check]]:
    """Yields the checks, each with its subject for the case that the check itself fails."""
    from stacks.doctor.services import check_ledger, check_server, check_tracker

    def is_set(*parts: object) -> bool:
        return not _UNSET.search(" ".join(map(str, parts)))

    tracker, ledger = spec.components.get("experiment_tracker"), spec.places.ledger
    store = spec.components.get("artifact_store")
    if spec.server is not None and is_set(spec.server, store) and "boto3" not in missing:
        yield "ZenML server", check_server
    if tracker is not None and is_set(tracker):
        yield "MLflow", check_tracker
    if ledger and is_set(ledger) and "psycopg2" not in missing:
        yield "ledger", check_ledger
    if not runs_in_pods(spec):
        return
    from stacks.doctor.cluster import check_cluster
    from stacks.doctor.image import check_image

    if is_set(spec.components["orchestrator"]) and "kubernetes" not in missing:
        yield "cluster", check_cluster
    if spec.run.image is not None and is_set(spec.run.image):
        yield "image", check_image


def _run_check(subject: str, check: Check, spec: StackSpec) -> list[Diagnosis]:
    """Runs one check; an error of the check itself becomes a diagnosis, too."""
    diagnoses: list[Diagnosis] = []
    try:
        diagnoses.extend(check(spec))
    except Exception as error:  # noqa: BLE001 - one check must not stop the others
        finding = f"could not be checked: {type(error).__name__}: {network_reason(error)}"
        diagnoses.append(Diagnosis(subject, "broken", finding, "Please report this."))
    return diagnoses
