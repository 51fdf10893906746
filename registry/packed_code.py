"""The package `churn` as one archive, which MLflow stores beside a model.

The package is a few hundred small files: uploaded to a bucket one by one, and downloaded again, they
take longer than the model itself. Python imports from an archive as from a folder.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ARCHIVE = "churn.zip"
"""Name of the archive; `mlflow_model.py`, which runs without the rest of this project, repeats it."""


def pack_code(package: Path, folder: Path) -> Path:
    """Packs a package with its data files, without compiled files; returns the archive in `folder`.

    The same files give the same bytes, whenever and wherever they are packed.
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
