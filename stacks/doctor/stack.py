"""Whether what a stack needs is there: packages, variables, and everything that it talks to.

Every server is waited for at most a few seconds, all of them side by side, so that a stack of
which nothing answers is told of within the time of one.
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

Look = Callable[[StackSpec], Iterator[Diagnosis]]
_UNSET = re.compile(r"\$\{env:")


def check_stack(spec: StackSpec, values: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Everything that a stack needs beyond this installation; nothing for one that needs nothing.

    Args:
        spec: The stack, with placeholders.
        values: What the placeholders stand for, such as the `state` folder.
    """
    missing = missing_modules(spec)
    if spec.needs:
        yield Diagnosis(
            "modules",
            "broken" if missing else "fine",
            f"{', '.join(missing)} not installed" if missing else f"{', '.join(spec.needs)}",
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
    # What hangs on an unset variable keeps its placeholder, and is not looked at.
    placeholders = {name: "${env:" + name + "}" for name in unset}
    try:
        filled = spec.resolved(values, {**os.environ, **placeholders})
    except ChurnError as error:
        yield Diagnosis("stack file", "broken", str(error), f"Correct {spec.file}.")
        return
    looks = list(_looks(filled, missing))
    if not looks:
        return
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        for found in pool.map(lambda look: _safely(look[0], look[1], filled), looks):
            yield from found


def _looks(spec: StackSpec, missing: list[str]) -> Iterator[tuple[str, Look]]:
    """What there is to look at, with what it is called where looking fails itself."""
    from stacks.doctor.services import check_ledger, check_server, check_tracker

    def known(*parts: object) -> bool:
        return not _UNSET.search(" ".join(map(str, parts)))

    tracker, ledger = spec.components.get("experiment_tracker"), spec.places.ledger
    store = spec.components.get("artifact_store")
    if spec.server is not None and known(spec.server, store) and "boto3" not in missing:
        yield "ZenML server", check_server
    if tracker is not None and known(tracker):
        yield "MLflow", check_tracker
    if ledger and known(ledger) and "psycopg2" not in missing:
        yield "ledger", check_ledger
    if not runs_in_pods(spec):
        return
    from stacks.doctor.cluster import check_cluster
    from stacks.doctor.image import check_image

    if known(spec.components["orchestrator"]) and "kubernetes" not in missing:
        yield "cluster", check_cluster
    if spec.run.image is not None and known(spec.run.image):
        yield "image", check_image


def _safely(subject: str, look: Look, spec: StackSpec) -> list[Diagnosis]:
    """What a look found; a doctor that stumbles says over what, and looks at the rest."""
    found: list[Diagnosis] = []
    try:
        found.extend(look(spec))
    except Exception as error:  # noqa: BLE001 - one look must not take the others along
        finding = f"could not be looked at: {type(error).__name__}: {network_reason(error)}"
        found.append(Diagnosis(subject, "broken", finding, "Please report this."))
    return found
