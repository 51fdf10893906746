"""Writes a bundle: all that serving needs of a trained model, in one folder that appears whole."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from churn.durable import TakenError
from churn.errors import BundleError, InputError
from churn.features.encoding import Columns, row_count
from churn.models.model_store import save_model
from churn.models.trained import TrainedModel
from churn.monitoring.drift_reference import build_reference
from churn.scoring.address import Address, address
from churn.scoring.bundle.golden_rows import golden_rows
from churn.scoring.bundle.reference import as_bytes
from churn.scoring.bundle.upload import new_bundle
from churn.scoring.columns import checked
from churn.scoring.encoder import RowEncoder
from churn.scoring.manifest import (
    CONTRACT,
    GOLDEN,
    MANIFEST,
    MODEL,
    MODEL_CARD,
    REFERENCE,
    VERSION_PATTERN,
    ContractFacts,
    FileFacts,
    Manifest,
    ModelFacts,
    Threshold,
)
from churn.scoring.remote import local_copy
from churn.scoring.scorer import Scorer
from churn.scoring.verify import verify_bundle

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "lightgbm", "pydantic", "onnxruntime")


def write_bundle(
    folder: Address,
    trained: TrainedModel,
    columns: Columns,
    *,
    name: str,
    version: str,
    threshold: Threshold,
    metrics: Mapping[str, Any],
    git_commit: str | None = None,
    profile: str | None = None,
    model_card: str | None = None,
    created: datetime | None = None,
) -> Address:
    """Writes a bundle and proves that it loads; `churn.scoring.Scorer` shows one written and loaded.

    Args:
        folder: path or URI of the new bundle; in a store, `bundle_folder(store, version)`.
        trained: the model.
        columns: feature columns of the rows it was trained on: the drift reference.
        name: name of the model, whatever its version.
        version: version of this model.
        threshold: decision threshold, and how it was chosen.
        metrics: as measured; JSON values, taken as they are.
        git_commit: git commit of the code; None if unknown.
        profile: profile of the training; None if unknown.
        model_card: Markdown; None leaves the file out.
        created: when the model was trained, with its zone; now where left out.

    Returns:
        The folder or URI. An existing bundle of the same model is kept, although it was written
        at another time, with other libraries or another model card, or without a commit.

    Raises:
        InputError: an argument is not what it must be.
        BundleError: the folder holds another bundle or something else, cannot be written, or what
            was written does not score as the model does. Nothing half-written stays; in a bucket,
            nothing that has a manifest.
    """
    _require_version(version)
    known = _training_rows(columns, trained)
    files = _files(trained, known, model_card)
    place = address(folder)
    try:
        with new_bundle(place) as unfinished:
            for path, content in files.items():
                (unfinished / path).write_bytes(content)
            save_model(trained.model, unfinished / MODEL)
            manifest = _manifest(
                unfinished, trained, name=name, version=version, threshold=threshold, metrics=metrics,
                git_commit=git_commit, profile=profile, created=created,
            )  # fmt: skip
            (unfinished / MANIFEST).write_text(manifest.text(), encoding="utf-8")
            Scorer.load(unfinished)
    except TakenError:
        return _same(place, manifest)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return place


def _require_version(version: str) -> None:
    if not re.fullmatch(VERSION_PATTERN, version):
        raise InputError(
            f"The version {version!r} cannot name a bundle; use letters, digits, dots, dashes, "
            "underscores and pluses, a letter or digit first, at most 100."
        )


def _training_rows(columns: Columns, trained: TrainedModel) -> Columns:
    known = checked(columns, trained.contract)
    if row_count(known) == 0:
        raise InputError(
            "A bundle needs the rows its model was trained on, and was given none. Hand over the "
            "training columns."
        )
    return known


def _files(trained: TrainedModel, columns: Columns, model_card: str | None) -> dict[str, bytes]:
    """Every file of ours but the manifest, by name."""
    contract = trained.contract
    encoder = RowEncoder(contract)
    rows = golden_rows(columns, contract)
    # Through the training-time model: a replay compares the serving path with it.
    golden = encoder.columns(rows)
    logit, probability = trained.logit(golden).tolist(), trained.probability(golden).tolist()
    expected = [
        {"row": row, "logit": logit[place], "probability": probability[place]}
        for place, row in enumerate(rows)
    ]
    files = {
        CONTRACT: _json(contract.model_dump(mode="json")),
        GOLDEN: _json({"rows": expected}),
        REFERENCE: as_bytes(build_reference(columns, trained.probability(columns), contract)),
    }
    if model_card is not None:
        files[MODEL_CARD] = model_card.encode()
    return files


def _manifest(
    folder: Path,
    trained: TrainedModel,
    *,
    name: str,
    version: str,
    threshold: Threshold,
    metrics: Mapping[str, Any],
    git_commit: str | None,
    profile: str | None,
    created: datetime | None,
) -> Manifest:
    """The manifest of the files that lie in the folder."""
    contract = trained.contract
    when = created or datetime.now(UTC)
    try:
        manifest = Manifest(
            model=_model_facts(trained, name, version, profile),
            contract=ContractFacts(
                name=contract.name, version=contract.version, digest=contract.digest()
            ),
            data_sha256=trained.data_sha256,
            git_commit=git_commit,
            created=(when.astimezone(UTC) if when.tzinfo else when).replace(microsecond=0),
            libraries=_libraries(),
            threshold=threshold,
            metrics=json.loads(_json(dict(metrics))),
            files=_file_facts(folder),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"A bundle cannot be written with this {'.'.join(map(str, first['loc']))}: "
            f"{first['msg']}. docs/bundle.md describes every field."
        ) from None
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The metrics of a bundle must be JSON values: {error}. Leave out what is none."
        ) from None
    return manifest


def _unwritable(folder: Address, error: OSError) -> BundleError:
    return BundleError(
        f"The bundle {folder} cannot be written: {error.strerror or error}. Make its parent a "
        "folder you may write to, with space on the disk."
    )


def _same(place: Address, manifest: Manifest) -> Address:
    """The place, if what it holds is this bundle.

    Raises:
        BundleError: it is not.
    """
    with local_copy(place) as folder:
        found = verify_bundle(folder)
    if found.git_commit is None:
        manifest = manifest.model_copy(update={"git_commit": None})
    if _lasting(found) != _lasting(manifest):
        raise BundleError(
            f"The bundle {place} is there already with other content; a version never changes. "
            "Write this one under another version."
        )
    return place


def _lasting(manifest: Manifest) -> Manifest:
    """The manifest without what another release says otherwise of the same model."""
    files = {
        path: facts
        for path, facts in manifest.files.items()
        if path not in (MODEL_CARD, REFERENCE)  # of equal training rows, as the model's files say
    }
    any_time = datetime.min.replace(tzinfo=UTC)
    return manifest.model_copy(update={"created": any_time, "libraries": {}, "files": files})


def _model_facts(trained: TrainedModel, name: str, version: str, profile: str | None) -> ModelFacts:
    return ModelFacts(
        name=name,
        version=version,
        recipe=trained.recipe,
        kind=trained.model.kind,
        settings=trained.settings,
        rows=trained.rows,
        recalibration=None if trained.recalibration.identity else trained.recalibration,
        profile=profile,
    )


def _file_facts(folder: Path) -> dict[str, FileFacts]:
    """Every file below the folder with its checksum and size, by path."""
    facts = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            facts[path.relative_to(folder).as_posix()] = FileFacts(
                sha256=hashlib.sha256(content).hexdigest(), size=len(content)
            )
    return facts


def _json(content: Any) -> bytes:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
