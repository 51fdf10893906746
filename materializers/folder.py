"""Moves whole folders of native files between this machine and any artifact store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from zenml.artifact_stores import BaseArtifactStore, LocalArtifactStore
from zenml.materializers.base_materializer import BaseMaterializer


class FolderMaterializer(BaseMaterializer):
    """Base of the materializers here: files are written to a local folder, then uploaded.

    On a local artifact store the folder is the artifact itself, so nothing is copied.
    """

    SKIP_REGISTRATION = True

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A local folder to write into; its files are in the artifact store afterwards."""
        if self._is_local():
            folder = Path(self.uri)
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
            return
        with self.get_temporary_directory(delete_at_exit=True) as temporary:
            yield Path(temporary)
            for path in sorted(Path(temporary).rglob("*")):
                if path.is_file():
                    relative = path.relative_to(temporary).as_posix()
                    target = f"{self.uri}/{relative}"
                    self.artifact_store.makedirs(os.path.dirname(target))  # noqa: PTH120 - a URI
                    with self.artifact_store.open(target, "wb") as file:
                        file.write(path.read_bytes())

    @contextmanager
    def reading(self) -> Iterator[Path]:
        """A local folder that holds the artifact's files."""
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
        return isinstance(cast(BaseArtifactStore, self.artifact_store), LocalArtifactStore)

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
