"""The doctor's look at what is in production: what a killed command has left is finished or undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from churn.errors import error_reason
from churn.profile import is_demo_model
from churn.scoring.address import Address
from churn.scoring.bundle import address, has_bundle, store_of_model
from runner.execute import pipeline_folders
from runner.request import PreparedRun
from runner.silence import silence_libraries
from stacks.diagnosis import Diagnosis

_LOCK_SECONDS = 5.0


def check_production(prepared: PreparedRun) -> Iterator[Diagnosis]:
    """Compares the places that name each model's version in production, and makes them agree.

    Starts ZenML, unless nothing was ever promoted into the folder of a stack that has no other place.

    Args:
        prepared: A promotion as it would run.
    """
    places = prepared.spec.places
    state = prepared.state
    kept_here = not (places.bundles or places.ledger or prepared.settings.ledger)
    if kept_here and not ((state / "ledger.db").exists() or (state / "production").exists()):
        return
    silence_libraries(verbose=False)
    try:
        yield from _settle(prepared, state)
    except Exception as error:  # noqa: BLE001 - one check must not stop the others
        finding = f"could not be compared: {error_reason(error)}"
        yield Diagnosis("production", "note", finding, "Correct that, and run the doctor again.")


def _settle(prepared: PreparedRun, state: Path) -> Iterator[Diagnosis]:
    from stacks.apply import activate, apply_stack

    stack = apply_stack(prepared.spec, {"state": str(state)})
    activate(stack)
    from churn.ledger.changes import ChangeLedger
    from registry.mlflow_alias import stack_client
    from registry.production import Production

    folders, own = pipeline_folders(stack, prepared), prepared.settings.model.name
    with ChangeLedger(folders["ledger"], lock_seconds=_LOCK_SECONDS) as ledger:
        for model in sorted({own, *ledger.models()}):
            store = store_of_model(address(folders["bundles"]), model)
            production = Production(model, store=store, ledger=ledger, mlflow=stack_client())
            with production.settled() as found:
                version = production.serving
                lost = version is not None and not has_bundle(store, version)
            if lost:
                yield _lost_bundle(model, str(version), store, named=model != own)
            elif found is not None:
                yield Diagnosis("production", "fine", f"{model}: {found.sentence}")
            elif version is None:
                yield Diagnosis("production", "fine", f"{model}: nothing is published in {store}")
            else:
                finding = f"{model}: version {version}, as every place says"
                yield Diagnosis("production", "fine", finding)


def _lost_bundle(model: str, version: str, store: Address, *, named: bool) -> Diagnosis:
    options = f" --set model.name={model}" if named else ""
    options += " --set profile=demo" if is_demo_model(model) else ""
    return Diagnosis(
        "production",
        "broken",
        f"{model}: the bundle of version {version}, which is in production, is missing from {store}",
        f"Publish it anew with run.py --pipeline promotion --set challenger={version}{options}, or go "
        f"back with run.py --pipeline rollback{options}.",
    )
