"""The window that a monitoring run is about, and the version that it is compared with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from churn.batch.chosen_version import choose_version
from churn.batch.given_places import open_table, place_of
from churn.batch.output_folder import OutputFolder, output_folder
from churn.contract import with_reading
from churn.errors import BundleError
from churn.kept_inputs.day_files import find_days, read_files
from churn.monitoring.drift_reference import DriftReference
from churn.root import ROOT
from churn.scoring.address import Address, address
from churn.scoring.bundle import bundle_folder, read_reference, store_of_model
from churn.scoring.manifest import REFERENCE
from churn.scoring.refusal import refusing
from churn.scoring.remote import local_copy
from churn.scoring.scorer import Scorer
from churn.settings.monitoring import MonitoringSettings
from churn.windows.window import Window, WindowKind, read_window

_KINDS: dict[str, WindowKind] = {
    "": "inputs",
    "service": "inputs-service",
    "stream": "inputs-stream",
    "batch": "inputs-batch",
}


@dataclass(frozen=True)
class OpenedWindow:
    """A window with what it is compared with.

    Attributes:
        scorer: the version.
        reference: its training rows; a text says why they cannot be used.
        window: the customers, scored.
    """

    scorer: Scorer
    reference: DriftReference | str
    window: Window


def open_window(options: MonitoringSettings, folders: dict[str, str]) -> OpenedWindow:
    """Loads the version, and reads and scores the window.

    Raises:
        InputError: nothing is in production, or the window cannot be read.
        BundleError: the version is not fit to be used.
    """
    store = store_of_model(address(folders["bundles"]), options.model.name)
    chosen = choose_version(store, options.model.name, options.version)
    scorer, reference = load_monitored(store, chosen.version, chosen.digest)
    if not options.batch:
        return OpenedWindow(scorer, reference, _kept_window(options, folders, scorer))
    source = open_table(options.batch, with_reading(scorer.contract, ROOT / options.data.contract))
    window = read_window(
        (chunk.table for chunk in source.chunks()),
        scorer,
        kind="batch",
        window_id=source.digest(),
        place=source.shown,
    )
    return OpenedWindow(scorer, reference, window)


def inputs_folder(options: MonitoringSettings, folders: dict[str, str]) -> OutputFolder:
    """Where the model's inputs are kept."""
    return output_folder(f"{place_of(folders['inputs'])}/{options.model.name}")


def _kept_window(options: MonitoringSettings, folders: dict[str, str], scorer: Scorer) -> Window:
    """The inputs that were kept in the last days; a customer's newest row counts."""
    today, folder = datetime.now(UTC).date(), inputs_folder(options, folders)
    days = find_days(folder, options.days, today, options.source or None)
    notes = []
    if days.later:
        notes.append(f"{days.later} files of {folder.shown} are of days to come: a clock is wrong.")
    if days.waiting:
        notes.append(
            f"{days.waiting} files of JSON lines of these days are not in the window: run `python -m "
            f"churn.batch.compact_inputs {options.model.name}` first."
        )
    elif not days.names:
        notes.append(
            f"{folder.shown} has no inputs of the {options.days} days before {today}; keep them with "
            "keep_inputs=true of batch_inference or CHURN_KEEP_INPUTS=true of the service, or name a "
            "table with --set batch=PATH."
        )
    return read_window(
        read_files(folder, days.names),
        scorer,
        kind=_KINDS[options.source],
        window_id=days.id,
        place=f"{folder.shown}, {options.days} days before {today}",
        keep="last",
        note=" ".join(notes),
    )


def load_monitored(
    store: Address, version: str, digest: str
) -> tuple[Scorer, DriftReference | str]:
    """A version as it was chosen, and its reference, or why it cannot be used.

    Raises:
        BundleError: the version is gone, is another by now, or is not fit to be used.
    """
    with local_copy(bundle_folder(store, version)) as folder, refusing(folder):
        scorer = Scorer.load_version(Path(folder), version, digest)
        try:
            return scorer, read_reference(Path(folder) / REFERENCE, scorer.contract)
        except BundleError as error:
            return scorer, str(error)
