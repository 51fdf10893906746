"""This project's domain as one archive, for whoever loads a model from MLflow.

A package is a few hundred small files: copied one by one into a bucket, and fetched again one by
one, they take longer than the model itself. Python imports from an archive as from a folder.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ARCHIVE = "churn.zip"
"""What it is called; `mlflow_model.py`, which is run where nothing else of this is, knows it too."""


def pack_code(package: Path, folder: Path) -> Path:
    """Packs a package, its data files among it, without what Python has compiled of it.

    The same files give the same bytes, whenever and wherever they are packed.

    Args:
        package: The package's folder.
        folder: Where to put the archive.

    Returns:
        The archive, to be put on the path.
    """
    archive = folder / ARCHIVE
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for file in sorted(package.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                # An entry made by hand carries no date and no owner.
                entry = ZipInfo(file.relative_to(package.parent).as_posix())
                entry.compress_type = ZIP_DEFLATED
                packed.writestr(entry, file.read_bytes())
    return archive
