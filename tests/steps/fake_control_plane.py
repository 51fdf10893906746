"""A Model Control Plane in memory, with the methods of `registry.control_plane.ControlPlane`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any


@dataclass(eq=False)
class FakeVersion:
    """A version, with what training linked to it."""

    model: SimpleNamespace
    number: int
    stage: str | None = None
    run_metadata: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Any] = field(default_factory=dict)
    created: datetime = datetime(2026, 11, 29, 12)  # noqa: DTZ001 - as ZenML's
    all: list[FakeVersion] = field(default_factory=list, repr=False)

    @property
    def id(self) -> int:
        return self.number

    @property
    def name(self) -> str:
        return str(self.number)

    def set_stage(self, stage: str, force: bool) -> None:
        """As ZenML does it: whoever had the stage is archived, where that is forced."""
        for other in self.all:
            if other is not self and other.stage == stage != "none":
                assert force, f"version {other.name} has the stage {stage} already"
                other.stage = "archived"
        self.stage = str(stage)

    def get_artifact(self, name: str) -> SimpleNamespace | None:
        if name not in self.artifacts:
            return None
        return SimpleNamespace(
            created=self.created,
            load=lambda: self.artifacts[name],
            get_body=lambda: SimpleNamespace(data_type=None),
        )


@dataclass
class FakeControlPlane:
    """Versions by number."""

    versions: list[FakeVersion] = field(default_factory=list)

    def find_version(self, model: str, version: str) -> FakeVersion | None:
        named = [each for each in self.versions if each.model.name == model]
        if str(version) == "latest":
            return named[-1] if named else None
        right = [each for each in named if str(version) in {each.name, each.stage}]
        return right[0] if right else None

    def create_version(
        self, registration: dict[str, Any], metadata: dict[str, Any], run: Any
    ) -> Any:
        assert run is None, "there is no run"
        model = SimpleNamespace(name=registration["name"])
        version = FakeVersion(model, len(self.versions) + 1, all=self.versions)
        version.run_metadata.update(metadata)
        self.versions.append(version)
        return version

    def log_metadata(self, version: FakeVersion, metadata: dict[str, Any]) -> None:
        version.run_metadata.update(metadata)
