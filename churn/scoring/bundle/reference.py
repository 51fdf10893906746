"""The drift reference in a bundle: a numpy archive that any release reads. docs/bundle.md lists the arrays."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from churn.contract import DataContract
from churn.errors import BundleError
from churn.monitoring.calibration import Calibration
from churn.monitoring.drift_reference import DriftReference, NumberReference
from churn.scoring.address import reason
from churn.scoring.reference_file import open_reference

_CALIBRATION_VERSION = 1


def as_bytes(reference: DriftReference) -> bytes:
    """The reference as a numpy archive; equal references are equal bytes."""
    arrays: dict[str, Any] = {"rows": np.array([reference.rows], dtype=np.int64)}
    for name, counts in reference.categories.items():
        arrays[f"categories/{name}/counts"] = counts
    for name, number in reference.numbers.items():
        arrays |= _arrays(f"numbers/{name}", number)
    arrays |= _arrays("scores", reference.scores)
    if calibration := reference.calibration:
        arrays |= {
            "calibration/version": np.array([_CALIBRATION_VERSION], dtype=np.int64),
            "calibration/sample": calibration.sample,
            "calibration/sizes": calibration.sizes,
            "calibration/smallest": calibration.smallest,
        }
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def read_reference(path: Path, contract: DataContract) -> DriftReference:
    """The reference of a bundle, from its `reference.npz`.

    Raises:
        BundleError: it cannot be read, or is of another contract.
    """
    try:
        with open_reference(path) as arrays:
            _require_contract(arrays, contract, path)
            return DriftReference(
                rows=int(arrays["rows"][0]),
                numbers={c.name: _number(arrays, f"numbers/{c.name}") for c in contract.numbers},
                categories={c.name: arrays[f"categories/{c.name}/counts"] for c in contract.coded},
                scores=_number(arrays, "scores"),
                calibration=_calibration(arrays),
            )
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken archive may fail in any way
        raise BundleError(
            f"The drift reference {path} cannot be read: {reason(error)}. Write the bundle anew."
        ) from None


def _require_contract(arrays: Any, contract: DataContract, path: Path) -> None:
    differs = _difference(arrays, contract)
    if differs:
        raise BundleError(
            f"The drift reference {path} is of another contract than its bundle: {differs}. Write "
            "the bundle anew."
        )


def _difference(arrays: Any, contract: DataContract) -> str:
    """The first thing in which a reference's columns are not the contract's; empty where none is."""
    columns = [name for name in arrays if name.startswith(("numbers/", "categories/"))]
    has = {name.partition("/")[2].rpartition("/")[0] for name in columns}
    needs = {column.name for column in contract.features}
    if has != needs:
        name = min(has ^ needs)
        return f"column '{name}' is {'not in it' if name in needs else 'in it alone'}"
    for column in contract.coded:
        known, words = len(arrays[f"categories/{column.name}/counts"]), len(column.categories)
        if known != words:
            return f"column '{column.name}' has {known} categories in it, {words} in the contract"
    return ""


def _arrays(prefix: str, number: NumberReference) -> dict[str, Any]:
    return {
        f"{prefix}/quantiles": number.quantiles,
        f"{prefix}/edges": number.edges,
        f"{prefix}/counts": number.counts,
    }


def _number(arrays: Any, prefix: str) -> NumberReference:
    return NumberReference(
        quantiles=arrays[f"{prefix}/quantiles"],
        edges=arrays[f"{prefix}/edges"],
        counts=arrays[f"{prefix}/counts"],
    )


def _calibration(arrays: Any) -> Calibration | None:
    """None in a bundle without one, and where a later release calibrates otherwise."""
    if "calibration/version" not in arrays:
        return None
    if int(arrays["calibration/version"][0]) != _CALIBRATION_VERSION:
        return None
    return Calibration(
        sample=arrays["calibration/sample"],
        sizes=arrays["calibration/sizes"],
        smallest=arrays["calibration/smallest"],
    )
