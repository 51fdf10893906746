"""Where a version of features came from: enough to make it again, bit for bit, and to compare."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime

from churn.data.dataset import Format
from churn.feature_store.feature_statistics import ColumnStatistics
from churn.features.feature_catalog import FeatureEntry
from churn.frozen_model import FrozenModel

PROVENANCE = "provenance.json"
ROWS = "rows"
FORMAT_VERSION = 1

_DIGITS = 12


class SourceTable(FrozenModel):
    """The table that features were built from; `location` is fit to be shown."""

    location: str
    sha256: str
    size: int
    format: Format


class ContractVersion(FrozenModel):
    """The contract that the table follows; `content` is all of it, how tables are read included."""

    name: str
    version: int
    digest: str
    content: dict[str, Any]


class StoredFile(FrozenModel):
    """One parquet file of a version, its checksum and the number of its rows."""

    name: str
    sha256: str
    rows: int


class Provenance(FrozenModel):
    """One version of the features of a contract's customers.

    Attributes:
        format_version: of this record.
        version: made of feature set, source and contract: equal versions, equal features.
        feature_set: version of the feature set.
        source: the table.
        snapshot: where its accepted copy is, below the feature store; empty for the shipped table.
        contract: the contract.
        observed: event time of rows without a date of their own.
        created: when it was built.
        code: commit of the code; None outside of git.
        stack: the stack of the run.
        run: the name of the run.
        libraries: versions of what the files' bytes depend on.
        rows: customers' rows.
        features: the catalog.
        left_out: a sentence for each formula that the contract lacks a role for.
        files: every file of the version, with its checksum.
        statistics: each column in a few figures.
    """

    format_version: int = FORMAT_VERSION
    version: str
    feature_set: str
    source: SourceTable
    snapshot: str
    contract: ContractVersion
    observed: AwareDatetime
    created: AwareDatetime
    code: str | None
    stack: str
    run: str
    libraries: dict[str, str]
    rows: int
    features: tuple[FeatureEntry, ...]
    left_out: tuple[str, ...]
    files: tuple[StoredFile, ...]
    statistics: tuple[ColumnStatistics, ...]

    @property
    def date(self) -> str:
        """The day that it describes, YYYY-MM-DD; names its folder."""
        return day_of(self.observed)

    @property
    def folder(self) -> str:
        """Its folder below the feature store."""
        return version_folder(self.date, self.contract.name, self.version)


def version_name(feature_set: str, source: str, contract: str) -> str:
    """The version that features of this feature set, source and contract have.

    The feature set comes first, so that one pattern finds all tables with the same columns.
    """
    table = hashlib.sha256(json.dumps([source, contract]).encode()).hexdigest()
    return f"{feature_set}-{table[:_DIGITS]}"


def version_folder(date: str, contract: str, version: str) -> str:
    """The folder of a version, below the feature store; each part may be the pattern `*`."""
    return f"data/processed/{date}/{contract}-{version}"


def day_of(moment: datetime) -> str:
    """The day of a moment in UTC, YYYY-MM-DD."""
    return moment.astimezone(UTC).date().isoformat()
