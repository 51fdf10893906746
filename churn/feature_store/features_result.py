"""What a run of the features pipeline has done."""

from __future__ import annotations

from typing import Literal

from churn.feature_store.provenance import Provenance
from churn.frozen_model import FrozenModel
from churn.run_result import RunResult

Status = Literal["built", "unchanged", "rebuilt", "restored"]


class Materialization(FrozenModel):
    """What was written to the online store.

    Attributes:
        place: the store, without user and password.
        customers: rows that were given to it; 0 where it had this version already.
        fields_set: fields that were new or newer.
        fields_kept: fields of which it had the same or newer ones.
    """

    place: str
    customers: int = 0
    fields_set: int = 0
    fields_kept: int = 0

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        if not self.customers:
            return f"{self.place} has this version already"
        kept = f", {self.fields_kept:,} kept (the same or newer)" if self.fields_kept else ""
        return f"{self.customers:,} customers, {self.fields_set:,} fields set{kept} in {self.place}"


class FeaturesResult(RunResult):
    """A version of features, and what a run did about it.

    Attributes:
        status: built; unchanged, where the same input was built before; rebuilt, bit for bit;
            restored, where files were lost or damaged.
        place: the version's folder or URI.
        provenance: of the version.
        online: what was written to the online store; None where nothing was to be.
    """

    status: Status
    place: str
    provenance: Provenance
    online: Materialization | None = None

    @property
    def figures(self) -> dict[str, float]:
        """Rows, features and what was written."""
        figures: dict[str, float] = {
            "rows": self.provenance.rows,
            "features": len(self.provenance.features),
            "files": len(self.provenance.files),
        }
        if self.online is not None:
            figures |= {
                "online_customers": self.online.customers,
                "online_fields_set": self.online.fields_set,
                "online_fields_kept": self.online.fields_kept,
            }
        return figures

    @property
    def lines(self) -> dict[str, str]:
        """Where everything is, and which version it is."""
        made = self.provenance
        lines = {
            "version": made.version,
            "feature set": f"{made.feature_set}, {len(made.features)} features",
            "rows": f"{made.rows:,} of {made.source.location}, sha256 {made.source.sha256[:12]}",
            "features": self.place,
        }
        if self.online is not None:
            lines["online store"] = self.online.sentence
        return lines
