"""Scoring bundles: the only bridge between training and serving, written, kept and put back."""

from __future__ import annotations

from churn.scoring.address import Address, address
from churn.scoring.bundle.bundle_store import current, has_bundle, history, publish, roll_back
from churn.scoring.bundle.reference import read_reference
from churn.scoring.bundle.store_of_model import contract_in_production, store_of_model
from churn.scoring.bundle.write import write_bundle
from churn.scoring.current import Published, bundle_folder
from churn.scoring.golden_replay import GoldenRow, read_golden
from churn.scoring.manifest import Manifest, Threshold
from churn.scoring.verify import verify_bundle

__all__ = [
    "Address",
    "GoldenRow",
    "Manifest",
    "Published",
    "Threshold",
    "address",
    "bundle_folder",
    "contract_in_production",
    "current",
    "has_bundle",
    "history",
    "publish",
    "read_golden",
    "read_reference",
    "roll_back",
    "store_of_model",
    "verify_bundle",
    "write_bundle",
]
