"""Accepted tables: the one a contract was accepted on, and copies of those that came after."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from churn.contract import DataContract, FlagColumn, TargetColumn
from churn.data.dataset import Dataset
from churn.data.intake import checksum
from churn.data.intake.local import reason
from churn.data.intake.parse import parse
from churn.data.intake.raw import LARGEST
from churn.data.sources import open_file, whole_table
from churn.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

TABLE = "customers.parquet"
PROVENANCE = "provenance.json"
_USUAL = (("No", "Yes"), ("0", "1"))


def accepted_snapshot(contract: DataContract, *, root: Path) -> pd.DataFrame | None:
    """The table that a contract was accepted on, typed; None where it names none or has no file.

    The file's path is relative to `root`.

    Raises:
        InputError: the file is there, but is not the one the contract names.
    """
    if contract.snapshot is None or not (root / contract.snapshot.path).exists():
        return None
    name = contract.snapshot.path
    source = open_file(root / name, name, contract, largest=LARGEST)
    checksum.require_snapshot(source.digest(), contract.snapshot, contract)
    try:
        return parse(_with_spellings(whole_table(source), contract), contract)
    except InputError as error:
        raise InputError(
            f"The snapshot {name} of contract '{contract.name}', with which every new table is "
            f"compared, does not follow the contract. {error} Or leave `snapshot` out of the contract: "
            "it is optional."
        ) from None


def _with_spellings(table: Any, contract: DataContract) -> Any:
    """The accepted table with the contract's yes and no, where it has another usual pair of them.

    A table that came later may be spelt otherwise, and the contract with it.
    """
    for place, name in enumerate(table.column_names):
        column = next((each for each in contract.columns if each.name == name), None)
        if isinstance(column, FlagColumn | TargetColumn):
            texts = set(pc.unique(table[place]).to_pylist())
            for usual in _USUAL:
                if texts <= set(usual) and not texts <= set(column.categories):
                    codes = pc.index_in(table[place], pa.array(usual)).combine_chunks()
                    table = table.set_column(place, name, pa.array(column.categories).take(codes))
    return table


def take_snapshot(dataset: Dataset, folder: Path) -> Path:
    """Keeps a table that the quality gate accepted, in a folder that is made where it is missing.

    Returns:
        The contract's own snapshot (relative, as the contract names it) where the table is that
        one, and nothing is written; else a folder named by the first 12 digits of the source's
        sha256, with customers.parquet and provenance.json. What is there already is left alone.

    Raises:
        InputError: the folder cannot be written to. Nothing half-written stays.
    """
    contract = dataset.contract
    if contract.snapshot and dataset.source.sha256 == contract.snapshot.sha256:
        return Path(contract.snapshot.path)
    try:
        return _kept(dataset, folder)
    except OSError as error:
        raise InputError(
            f"The snapshot folder {folder} cannot be written to: {reason(error)}. Make it a "
            "folder you may write to, or choose another with --set output.folder=PATH."
        ) from None


def _kept(dataset: Dataset, folder: Path) -> Path:
    identity = (dataset.source.sha256, dataset.contract.table_digest())
    target = folder / identity[0][:12]
    if target.exists() and _says(target) != identity:
        # The same bytes read by another contract are another table.
        target = folder / f"{identity[0][:12]}-{identity[1][:12]}"
    if not target.exists():
        _write(dataset, folder, target)
    if _says(target) != identity:
        raise InputError(
            f"{target} is there already and is not a snapshot of this table. Move it away."
        )
    return target


def _write(dataset: Dataset, folder: Path, target: Path) -> None:
    """Writes a snapshot to a temporary place and renames it."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder, prefix=".partial-"))
    try:
        dataset.frame.to_parquet(partial / TABLE, index=False)
        text = json.dumps(_provenance(dataset), indent=2, ensure_ascii=False)
        (partial / PROVENANCE).write_text(text + "\n", encoding="utf-8")
        partial.chmod(0o755)
        try:
            partial.rename(target)
        except OSError:
            # Another run may have kept the same table in the meantime.
            if not target.exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _says(target: Path) -> tuple[str, str] | None:
    """The source and the contract that a kept snapshot names; None where it says nothing."""
    try:
        content = json.loads((target / PROVENANCE).read_text(encoding="utf-8"))
        contract = content["contract"]
        return content["source"]["sha256"], contract.get("table_digest", contract["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _provenance(dataset: Dataset) -> dict[str, Any]:
    contract = dataset.contract
    return {
        "source": asdict(dataset.source),
        "rows": dataset.rows,
        "columns": list(contract.names),
        "contract": {
            "name": contract.name,
            "version": contract.version,
            "digest": contract.digest(),
            # Only where tables are translated: kept ones from before the field have none.
            **(
                {"table_digest": read}
                if (read := contract.table_digest()) != contract.digest()
                else {}
            ),
        },
        "libraries": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "pandas", "pyarrow")},
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
