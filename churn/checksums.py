"""Folders with checksums: a manifest lists every file with its SHA-256, and reading verifies them.

The manifest is written last, so a folder that was never finished is not mistaken for a whole one.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from churn.errors import InputError
from churn.plain_files import read_json, read_plain

MANIFEST = "manifest.json"
FORMAT = "churn-model"
FORMAT_VERSION = 1


def create_model_folder(folder: Path) -> None:
    """Makes the folder, and refuses one that holds a finished model.

    Raises:
        InputError: there is one.
    """
    if (folder / MANIFEST).exists():
        raise InputError(
            f"The folder {folder} already holds a model; name another one, or remove it first."
        )
    folder.mkdir(parents=True, exist_ok=True)


def write_checksums(folder: Path, kind: str, files: list[Path]) -> None:
    """Writes the manifest of those files, which lie in the folder."""
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "files": {
            path.relative_to(folder).as_posix(): _sha256(path.read_bytes())
            for path in sorted(files)
        },
    }
    unfinished = folder / f"{MANIFEST}.unfinished"
    unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(folder / MANIFEST)


def verify_checksums(folder: Path, kinds: tuple[str, ...]) -> str:
    """Verifies a folder against its manifest, and returns its kind, one of `kinds`.

    Raises:
        InputError: the folder holds no finished model, another kind or version, or a file is
            missing or not as it was written.
    """
    manifest = _manifest(folder)
    if manifest.get("format") != FORMAT or manifest.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"The model in {folder} has format {manifest.get('format')} version "
            f"{manifest.get('format_version')}; this code reads {FORMAT} version "
            f"{FORMAT_VERSION}. Load it with the version that wrote it, or train anew."
        )
    kind = str(manifest.get("kind"))
    if kind not in kinds:
        raise InputError(
            f"The folder {folder} holds a model of kind '{kind}', not {' or '.join(kinds)}; name "
            "the folder of such a model."
        )
    files = manifest.get("files")
    if not isinstance(files, dict) or not files:
        raise InputError(f"The manifest in {folder} lists no files; restore it, or train anew.")
    for name, expected in files.items():
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"The manifest in {folder} names '{name}', which lies outside the folder; restore "
                "it, or train anew."
            )
        try:
            found = _sha256(read_plain(folder / name, (folder / name).stat().st_size))
        except OSError:
            found = None
        if found != expected:
            what = "is missing" if found is None else "is not as it was written (SHA-256 differs)"
            raise InputError(
                f"The model in {folder} is corrupt: {name} {what}. Restore the folder from where "
                "it was copied, or train anew."
            )
    return kind


def content_digest(folder: Path) -> str:
    """SHA-256 of a folder's manifest, and so of its files: equal files, equal digest."""
    return _sha256((folder / MANIFEST).read_bytes())


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        content = read_json(folder / MANIFEST)
    except FileNotFoundError:
        raise InputError(
            f"The folder {folder} holds no finished model: it has no {MANIFEST}. Name the folder "
            "that a model was saved to."
        ) from None
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InputError(
            f"The model in {folder} is corrupt: {MANIFEST} cannot be read as JSON. Restore the "
            "folder from where it was copied, or train anew."
        )
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
