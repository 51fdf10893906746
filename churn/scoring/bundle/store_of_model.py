"""A store for each model: `<stores>/<model>/`, so that no two models share a pointer."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pydantic import ValidationError

from churn.contract import DataContract
from churn.errors import BundleError, InputError
from churn.plain_files import DOCUMENT_BYTES, read_plain
from churn.scoring.address import Address, read_file
from churn.scoring.current import BUNDLES, Published, bundle_folder, read_history
from churn.scoring.manifest import CONTRACT, MANIFEST

_NAME = re.compile(r"[a-z][a-z0-9-]{0,99}")


def store_of_model(stores: Address, model: str) -> Address:
    """Returns where the bundles of a model lie.

    Release 0.1.0 had one store, in `stores` itself. It stays where it is, as the store of the model
    that its bundles name: the services that follow it go on, and another model gets its own.

    Args:
        stores: the folder or URI that holds the stores of all models.
        model: name of the model.

    Raises:
        InputError: the name cannot name a folder.
        BundleError: a store of release 0.1.0 cannot be read, so that nobody knows whose it is.
    """
    if not _NAME.fullmatch(model) or model == BUNDLES:
        raise InputError(
            f"The model name {model!r} cannot name a store; use small letters, digits and dashes, a "
            f"letter first, at most 100, and not '{BUNDLES}'."
        )
    own = f"{stores}/{model}" if isinstance(stores, str) else stores / model
    if read_history(own):
        return own
    past = read_history(stores)
    if not past:
        return own
    owner = model_of_store(stores, past)
    if owner is None:
        raise BundleError(
            f"The store {stores} of an earlier release has no bundle that says which model it is. "
            f"Move its current.json and {BUNDLES} into {own}, or into that of another model."
        )
    return stores if owner == model else own


def model_of_store(store: Address, past: tuple[Published, ...]) -> str | None:
    """The model whose versions a store has, by the newest bundle that can be read; None if none can."""
    for version in dict.fromkeys(entry.version for entry in reversed(past)):
        try:
            manifest = json.loads(_read(bundle_folder(store, version), MANIFEST) or b"")
            return str(manifest["model"]["name"])
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            continue
    return None


def contract_in_production(store: Address) -> DataContract | None:
    """The contract of the version that a store has in production; None where it has none.

    Raises:
        BundleError: the store cannot be read.
    """
    past = read_history(store)
    content = _read(bundle_folder(store, past[-1].version), CONTRACT) if past else None
    try:
        return DataContract.model_validate_json(content) if content else None
    except ValidationError:
        raise BundleError(
            f"The contract of version {past[-1].version} in {store} cannot be read."
        ) from None


def _read(bundle: Address, name: str) -> bytes | None:
    if isinstance(bundle, Path):
        return read_plain(bundle / name, DOCUMENT_BYTES)
    return read_file(f"{bundle}/{name}", DOCUMENT_BYTES)
