"""Writes the folder that Seldon Core 2 and MLServer load a model from.

    python -m service.seldon.package --store .churn/store --version 7 --out .churn/mlserver

A bundle may contain nothing that its manifest does not list, so it has a folder of its own beside
MLServer's settings: `7/model-settings.json` and `7/bundle/`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from churn.command import print_result
from churn.errors import InputError
from churn.scoring import bundle_folder
from churn.scoring.current import read_current
from churn.scoring.verify import verify_bundle

BUNDLE = "bundle"
_SETTINGS = Path(__file__).with_name("model-settings.json")


def package(store: Path, version: str | None, out: Path) -> Path:
    """Writes the folder of a version below `out` and returns it; it is complete or does not exist.

    Without a version, the one that the store has in production is packed.

    Raises:
        InputError: the folder exists.
        BundleError: there is no such bundle, or it is damaged.
    """
    version = read_current(store).version if version is None else version
    source = bundle_folder(store, version)
    manifest = verify_bundle(source)
    folder = out / version
    if folder.exists():
        raise InputError(f"The folder {folder} exists; remove it, or pack into another one.")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=out) as unfinished:
        fresh = Path(unfinished) / version
        shutil.copytree(source, fresh / BUNDLE)
        verify_bundle(fresh / BUNDLE)
        settings = json.loads(_SETTINGS.read_text(encoding="utf-8")) | {
            "name": manifest.model.name,
            "parameters": {"uri": f"./{BUNDLE}", "version": version},
        }
        text = json.dumps(settings, indent=2) + "\n"
        (fresh / _SETTINGS.name).write_text(text, encoding="utf-8")
        fresh.rename(folder)
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Packs, prints the folder and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m service.seldon.package",
        description="Pack a bundle for MLServer and Seldon Core 2.",
        allow_abbrev=False,
    )
    parser.add_argument("--store", type=Path, required=True, help="the bundle store")
    parser.add_argument("--version", help="what is in production where left out")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the folders")
    options = parser.parse_args(arguments)
    return print_result(lambda: package(options.store, options.version, options.out))


if __name__ == "__main__":
    sys.exit(main())
