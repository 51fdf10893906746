"""Base of the materializers: an artifact is a folder of native files in any artifact store."""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zenml.artifact_stores import LocalArtifactStore
from zenml.enums import VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer

DRAWING_SECONDS = "drawing_seconds"
_KINDS = {
    ".html": VisualizationType.HTML,
    ".png": VisualizationType.IMAGE,
    ".md": VisualizationType.MARKDOWN,
}


def json_digest(content: Any) -> str:
    """Returns the SHA-256 of a JSON value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class FolderMaterializer(BaseMaterializer):
    """Base class: files are written to a local folder, then uploaded.

    On a local artifact store the folder is the artifact itself, so nothing is copied.
    """

    SKIP_REGISTRATION = True
    _drawing: float | None = None

    def draw(self, data: Any) -> Mapping[str, bytes]:  # noqa: ARG002 - for subclasses
        """Returns the dashboard's pages and pictures, file name -> content; none by default."""
        return {}

    def save_visualizations(self, data: Any) -> dict[str, VisualizationType]:
        """Draws the pages and pictures, and writes them beside the artifact's data."""
        began = time.perf_counter()
        files = self.draw(data)
        self._drawing = time.perf_counter() - began
        return {
            self.write_file(name, content): _KINDS[name[name.rindex(".") :]]
            for name, content in files.items()
        }

    def extract_full_metadata(self, data: Any) -> dict[str, Any]:
        """Returns the metadata and the seconds of drawing, which would else count as ZenML's."""
        metadata = dict(super().extract_full_metadata(data))
        if self._drawing is not None:
            metadata[DRAWING_SECONDS] = round(self._drawing, 4)
        return metadata

    @contextmanager
    def output_folder(self) -> Iterator[Path]:
        """Yields a local folder; its files are in the artifact store afterwards."""
        if self._is_local():
            folder = Path(self.uri)
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
            return
        with self.get_temporary_directory(delete_at_exit=True) as temporary:
            yield Path(temporary)
            for path in sorted(Path(temporary).rglob("*")):
                if path.is_file():
                    name = path.relative_to(temporary).as_posix()
                    parent = os.path.dirname(f"{self.uri}/{name}")  # noqa: PTH120 - a URI
                    self.artifact_store.makedirs(parent)
                    self.write_file(name, path.read_bytes())

    @contextmanager
    def input_folder(self) -> Iterator[Path]:
        """Yields a local folder with the artifact's files."""
        if self._is_local():
            yield Path(self.uri)
            return
        with self.get_temporary_directory(delete_at_exit=True) as temporary:
            self._download(self.uri, Path(temporary))
            yield Path(temporary)

    def write_file(self, name: str, content: bytes) -> str:
        """Writes one file beside the artifact's data and returns its URI."""
        target = f"{self.uri}/{name}".replace("\\", "/")
        with self.artifact_store.open(target, "wb") as file:
            file.write(content)
        return target

    def _is_local(self) -> bool:
        return isinstance(self.artifact_store, LocalArtifactStore)

    def _download(self, uri: str, folder: Path) -> None:
        for entry in self.artifact_store.listdir(uri):
            name = entry.decode() if isinstance(entry, bytes) else str(entry)
            source = f"{uri}/{name}"
            if self.artifact_store.isdir(source):
                (folder / name).mkdir()
                self._download(source, folder / name)
            else:
                with self.artifact_store.open(source, "rb") as file:
                    (folder / name).write_bytes(file.read())
