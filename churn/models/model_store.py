"""Fitted models on disk: native files under a manifest, verified before anything is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from churn.checksums import create_model_folder, verify_checksums, write_checksums
from churn.errors import InputError, error_reason
from churn.models.blend import BlendModel
from churn.models.candidate import FittedModel
from churn.models.linear.additive import AdditiveModel
from churn.models.network.onnx_model import OnnxModel
from churn.models.recalibrated import RecalibratedModel
from churn.models.trees.gbm import GbmModel

_READERS: dict[str, Callable[[Path], FittedModel]] = {
    AdditiveModel.kind: AdditiveModel.read,
    GbmModel.kind: GbmModel.read,
    OnnxModel.kind: OnnxModel.read,
}
_READERS_OF_MEMBERS: dict[
    str, Callable[[Path, Callable[[str, Path], FittedModel]], FittedModel]
] = {
    BlendModel.kind: BlendModel.read,
    RecalibratedModel.kind: RecalibratedModel.read,
}
KINDS = (*_READERS, *_READERS_OF_MEMBERS)


def save_model(model: FittedModel, folder: Path) -> None:
    """Writes a model's native files and their checksums into a folder, made if need be.

    Raises:
        InputError: the folder already holds a model.
    """
    create_model_folder(folder)
    before = set(folder.rglob("*"))
    model.export(folder)
    written = [path for path in folder.rglob("*") if path.is_file() and path not in before]
    write_checksums(folder, model.kind, written)


def load_model(folder: Path) -> FittedModel:
    """Verifies and reads a model.

    Raises:
        InputError: the folder holds no finished model, one of another version, or a corrupt one.
    """
    try:
        return read_model(folder)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The model in {folder} cannot be read: {error_reason(error)}. Restore the folder "
            "from where it was copied, or train anew."
        ) from None


def read_model(folder: Path) -> FittedModel:
    """The same for callers with an error message of their own.

    Raises:
        InputError: the folder holds no finished model, one of another version, or a corrupt one.
        OSError, KeyError, TypeError, ValueError: a file is not what it should be.
    """
    return _read(verify_checksums(folder, KINDS), folder)


def _read(kind: str, folder: Path) -> FittedModel:
    if kind in _READERS_OF_MEMBERS:
        return _READERS_OF_MEMBERS[kind](folder, _read)
    if kind not in _READERS:
        raise ValueError(f"'{kind}' is no kind of model")
    return _READERS[kind](folder)
