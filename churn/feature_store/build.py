"""Builds a version of the features from an accepted table, or an old version again, bit for bit."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import zip_longest

from pydantic import ValidationError

from churn.contract import DataContract
from churn.data.dataset import Dataset
from churn.durable import TakenError
from churn.errors import ChurnError, InputError
from churn.feature_store.feature_rows import feature_rows
from churn.feature_store.feature_statistics import column_statistics
from churn.feature_store.features_result import FeaturesResult
from churn.feature_store.offline_store import (
    OfflineStore,
    damaged_version,
    parquet_files,
    stored_files,
)
from churn.feature_store.provenance import (
    ContractVersion,
    Provenance,
    SourceTable,
    day_of,
    version_name,
)
from churn.features.feature_catalog import feature_catalog
from churn.features.feature_set import FeatureSet, feature_set
from churn.features.feature_version import feature_set_version

_LIBRARIES = ("numpy", "pandas", "pyarrow")

ReadSnapshot = Callable[[Provenance, DataContract], Dataset]


@dataclass(frozen=True)
class BuildContext:
    """What builds, and when.

    Attributes:
        created: now.
        observed: the time that the table describes, where its rows have no date; None for `created`.
        snapshot: where the accepted table is kept, below the feature store; empty for the shipped one.
        code: commit of the code.
        stack: the stack.
        run: the run.
    """

    created: datetime
    observed: datetime | None = None
    snapshot: str = ""
    code: str | None = None
    stack: str = ""
    run: str = ""


def build_features(dataset: Dataset, store: OfflineStore, context: BuildContext) -> FeaturesResult:
    """Builds the features of a table, unless the store has them already.

    Raises:
        InputError: the table has a column name or a day that cannot be, the store was written with a
            newer feature set, a version of it is damaged, or it cannot be written to.
    """
    contract = dataset.contract
    features = feature_set(contract)
    name = feature_set_version(contract, features)
    made = version_name(name, dataset.source.sha256, contract.table_digest())
    known = store.versions(contract.name)
    _require_newest(name, known, store)
    given = context.observed and day_of(context.observed)
    same = [each for each in known if each.version == made and given in (None, each.date)]
    if same:
        return _unchanged(same[-1], store)
    provenance, files = _made(dataset, features, name, context)
    try:
        store.add(provenance, files)
    except TakenError:
        return _unchanged(store.adopt(provenance), store)
    sentence = f"{provenance.rows:,} customers, {len(provenance.features)} features each, built"
    if known:
        sentence += f"; a new version beside {len(known):,}"
    return FeaturesResult(
        status="built",
        sentence=f"{sentence}.",
        place=store.where(provenance),
        provenance=provenance,
    )


def rebuild_features(
    contract: str, as_of: str, store: OfflineStore, read_snapshot: ReadSnapshot
) -> FeaturesResult:
    """Builds the newest version of a day, or before it, again, and compares every byte.

    Of several versions of one day, a damaged one comes first.

    Args:
        contract: name of the contract.
        as_of: the day, YYYY-MM-DD.
        store: has the version's record.
        read_snapshot: returns the table that the version was built from.

    Raises:
        InputError: there is no such version, it is of another feature set, or its table is gone.
        ChurnError: other bytes came out; nothing was changed.
    """
    old = _newest_of(contract, as_of, store)
    kept = _kept_contract(old)
    features = feature_set(kept)
    name = feature_set_version(kept, features)
    if name != old.feature_set:
        raise _of_another_set(old, name)
    dataset = read_snapshot(old, kept)
    context = BuildContext(
        created=old.created, observed=old.observed, snapshot=old.snapshot, code=old.code,
        stack=old.stack, run=old.run,
    )  # fmt: skip
    made, files = _made(dataset, features, name, context)
    different = _different(old, made)
    if different:
        raise ChurnError(
            f"The features of {old.date} came out different in {different}: they were built with "
            f"{_listed(old.libraries)}, and here are {_listed(made.libraries)}; or the snapshot of the "
            "table was changed. The files stay as they were."
        )
    lost = store.damaged(old)
    if lost:
        store.restore(old, {each: files[each] for each in lost if each in files})
    files_of = "1 file" if len(old.files) == 1 else f"{len(old.files)} files"
    count = f"{old.rows:,} rows of {old.date} ({files_of})"
    return FeaturesResult(
        status="restored" if lost else "rebuilt",
        sentence=f"{count} built again, bit for bit: {', '.join(lost)} had been lost or damaged."
        if lost
        else f"{count} built again, equal to those that are there bit for bit.",
        place=store.where(old),
        provenance=old,
    )


def _of_another_set(old: Provenance, name: str) -> InputError:
    commit, _, changes = (old.code or "").partition(" ")
    way_out = "Leave as_of out to build new ones."
    if changes:
        way_out = f"They were built {changes} that {commit} has not. {way_out}"
    elif commit:
        way_out = f"Check out {commit} to build them, or leave as_of out to build new ones."
    return InputError(
        f"The features of {old.date} are of feature set {old.feature_set}, and this code makes "
        f"{name}, so they cannot be built again with it. {way_out}"
    )


def _newest_of(contract: str, as_of: str, store: OfflineStore) -> Provenance:
    known = store.versions(contract)
    before = [each for each in known if each.date <= as_of]
    if not before:
        days = ", ".join(sorted({each.date for each in known})) or "none"
        raise InputError(
            f"The feature store at {store.place} has no features of '{contract}' from {as_of} or "
            f"before; it has: {days}."
        )
    newest = before[-1]
    of_the_day = [each for each in reversed(before) if each.date == newest.date]
    return next((each for each in of_the_day if store.damaged(each)), newest)


def _require_newest(feature_set_name: str, known: list[Provenance], store: OfflineStore) -> None:
    """Checks that no newer feature set than this code's has been built here.

    Raises:
        InputError: there is one.
    """
    if not known:
        return
    newest = max(known, key=lambda each: each.created)
    if newest.feature_set == feature_set_name:
        return
    older = [each for each in known if each.feature_set == feature_set_name]
    if older:
        raise InputError(
            f"The feature store at {store.place} has features of feature set {newest.feature_set}, "
            f"built on {newest.created:%Y-%m-%d}; this code makes the older {feature_set_name}. "
            "Update the code, or name another store with --set output.folder=PATH."
        )


def _made(
    dataset: Dataset, features: FeatureSet, name: str, context: BuildContext
) -> tuple[Provenance, dict[str, bytes]]:
    """The version's files, and its provenance."""
    contract = dataset.contract
    observed = context.observed or _newest_day(dataset) or context.created
    if context.observed and context.observed > context.created:
        raise InputError(
            f"The table cannot describe {day_of(observed)}, which is later than today. Correct "
            "--set observed=..."
        )
    rows = feature_rows(
        dataset.frame, contract, features, observed=observed, created=context.created
    )
    files = parquet_files(rows)
    provenance = Provenance(
        version=version_name(name, dataset.source.sha256, contract.table_digest()),
        feature_set=name,
        source=SourceTable(**asdict(dataset.source)),
        snapshot=context.snapshot,
        contract=ContractVersion(
            name=contract.name,
            version=contract.version,
            digest=contract.digest(),
            content=contract.model_dump(mode="json") | {"reading": contract.reading.model_dump()},
        ),
        observed=observed,
        created=context.created,
        code=context.code,
        stack=context.stack,
        run=context.run,
        libraries=_libraries(),
        rows=rows.num_rows,
        features=feature_catalog(contract, features),
        left_out=features.left_out,
        files=stored_files(files),
        statistics=column_statistics(rows),
    )
    return provenance, files


def _newest_day(dataset: Dataset) -> datetime | None:
    """The beginning of the newest day of a table's rows; None where they have no date."""
    column = dataset.contract.date
    if column is None:
        return None
    return datetime.fromisoformat(dataset.frame[column.name].max()).replace(tzinfo=UTC)


def _unchanged(found: Provenance, store: OfflineStore) -> FeaturesResult:
    damaged = store.damaged(found)
    if damaged:
        raise damaged_version(store.where(found), damaged[0], found)
    return FeaturesResult(
        status="unchanged",
        sentence=f"Nothing to build: the same table, contract and feature set were built on "
        f"{found.created:%Y-%m-%d %H:%M} UTC.",
        place=store.where(found),
        provenance=found,
    )


def _kept_contract(old: Provenance) -> DataContract:
    try:
        return DataContract.model_validate(old.contract.content)
    except ValidationError:
        raise InputError(
            f"The contract of the features of {old.date} is of another release. Build them with the "
            f"code that built them ({old.code or 'its commit was not recorded'})."
        ) from None


def _different(old: Provenance, made: Provenance) -> str:
    """The first file that has other bytes now, or is another; empty where none is."""
    pairs = zip_longest(old.files, made.files)
    return next((str((was or now).name) for was, now in pairs if was != now), "")


def _libraries() -> dict[str, str]:
    """Versions of what the files' bytes depend on."""
    installed = {each: version(each) for each in _LIBRARIES}
    return {"python": platform.python_version(), **installed}


def _listed(libraries: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {each}" for name, each in libraries.items())
