"""The mean of other models' log-odds: an additive and a tree model err in different places."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from churn.features.encoding import Columns, Floats, row_count
from churn.models.candidate import Candidate, FittedModel, Target
from churn.models.row_form import MeanForm
from churn.plain_files import read_json

_FILE = "blend.json"


@dataclass(frozen=True)
class BlendModel:
    """The mean of several fitted models.

    Attributes:
        members: fitted models by the names of their recipes, in order.
    """

    kind: ClassVar[str] = "blend"
    additive: ClassVar[bool] = False

    members: dict[str, FittedModel]

    @property
    def features(self) -> tuple[str, ...]:
        """Columns that any member has contributions for, each once."""
        return tuple(dict.fromkeys(name for m in self.members.values() for name in m.features))

    @property
    def exact(self) -> bool:
        """Whether every member's contributions are exact."""
        return all(member.exact for member in self.members.values())

    @property
    def base(self) -> float:
        """Mean of the members' bases."""
        return sum(member.base for member in self.members.values()) / len(self.members)

    def logit(self, columns: Columns) -> Floats:
        """Mean of the members' log-odds, float64[n]."""
        total = np.zeros(row_count(columns))
        for member in self.members.values():
            total += member.logit(columns)
        total /= len(self.members)
        return total

    def contributions(self, columns: Columns) -> Floats:
        """Mean of the members' contributions, float64[n, features]; a column unknown to one is 0."""
        places = {name: place for place, name in enumerate(self.features)}
        total = np.zeros((row_count(columns), len(places)), order="F")
        for member in self.members.values():
            parts = member.contributions(columns)
            for place, name in enumerate(member.features):  # far faster than all in one
                total[:, places[name]] += parts[:, place]
        total /= len(self.members)
        return total

    def row_form(self) -> MeanForm:
        """The mean of the members' row forms."""
        places = {name: place for place, name in enumerate(self.features)}
        members = self.members.values()
        return MeanForm(
            members=tuple(member.row_form() for member in members),
            places=tuple(tuple(places[name] for name in member.features) for member in members),
            width=len(places),
        )

    def export(self, folder: Path) -> None:
        """Writes every member into a folder of its own, and their order."""
        order = []
        for place, (name, member) in enumerate(self.members.items()):
            inner = folder / f"member-{place + 1}"
            inner.mkdir()
            member.export(inner)
            order.append({"recipe": name, "kind": member.kind, "folder": inner.name})
        content = json.dumps({"members": order}, indent=1)
        (folder / _FILE).write_text(content + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path, read_member: Callable[[str, Path], FittedModel]) -> BlendModel:
        """The model that `export` wrote; `read_member` reads a member of some kind.

        Raises:
            OSError, ValueError, KeyError: a file or a part is missing, or not what it should be.
        """
        members = {}
        for entry in read_json(folder / _FILE)["members"]:
            inner = str(entry["folder"])
            if inner in ("", "..") or Path(inner).name != inner:
                raise ValueError(f"'{inner[:100]}' is no folder of the model's own")
            members[str(entry["recipe"])] = read_member(str(entry["kind"]), folder / inner)
        return cls(members)


@dataclass(frozen=True)
class BlendCandidate:
    """A blend of recipes."""

    name: str
    members: tuple[Candidate, ...]

    def fit(self, columns: Columns, target: Target) -> BlendModel:
        """Fits every member on the same rows.

        Raises:
            InputError: a member cannot learn from them.
        """
        return self.combine([member.fit(columns, target) for member in self.members])

    def combine(self, fitted: Sequence[FittedModel]) -> BlendModel:
        """The blend of members that are fitted already, in the order of `members`."""
        names = [member.name for member in self.members]
        return BlendModel(dict(zip(names, fitted, strict=True)))
