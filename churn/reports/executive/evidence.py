"""The artifacts of one retention run that its pages state figures of, and the statements themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from churn.campaign.retention_report import RetentionReport
from churn.contract import Business, DataContract
from churn.experiments.plan import ExperimentPlan
from churn.experiments.readout import Readout
from churn.frozen_model import FrozenModel
from churn.retention.roi_report import RoiReport


class Statement(FrozenModel):
    """A figure that stands on a page.

    Attributes:
        path: of the figure in the run's artifacts, such as `roi.figures.profit.value`.
        value: there.
        text: as it is written.
    """

    path: str
    value: float | int | str | None
    text: str


@dataclass(frozen=True)
class Evidence:
    """The artifacts of one run.

    Attributes:
        contract: of the business, whose words the pages use.
        retention: the campaign and its cohorts.
        roi: its return.
        experiment: how its effect is measured.
        readout: what an earlier experiment has shown; None where none was read.
        stated: every figure that was written so far, by its text and path.
    """

    contract: DataContract
    retention: RetentionReport
    roi: RoiReport
    experiment: ExperimentPlan
    readout: Readout | None = None
    stated: list[Statement] = field(default_factory=list, repr=False)

    @property
    def business(self) -> Business:
        """The business's own words, where it has given any."""
        return self.contract.business or Business()

    @cached_property
    def document(self) -> dict[str, Any]:
        """All artifacts as plain values."""
        parts = {"retention": self.retention, "roi": self.roi, "experiment": self.experiment}
        if self.readout is not None:
            parts["readout"] = self.readout
        return {name: part.model_dump(mode="json") for name, part in parts.items()}

    def document_text(self) -> str:
        """All artifacts as JSON."""
        return json.dumps(self.document, indent=1, ensure_ascii=False) + "\n"

    def value(self, path: str) -> Any:
        """The value at a path such as `roi.scenarios.0.profit`.

        Raises:
            KeyError: there is none.
        """
        found: Any = self.document
        for part in path.split("."):
            found = found[int(part)] if isinstance(found, list) else found[part]
        return found

    def state(self, path: str, form: str) -> str:
        """Writes the figure at a path in a format such as `,.0f`, and remembers it."""
        value = self.value(path)
        text = "none" if value is None else format(value, form)
        self.stated.append(Statement(path=path, value=value, text=text))
        return text

    def money(self, path: str) -> str:
        """An amount without decimals, with its currency."""
        return f"{self.state(path, ',.0f')} {self.roi.money}"

    def money_range(self, path: str) -> str:
        """The bounds of a figure with `lower` and `upper`, with its currency."""
        return f"{self.state(f'{path}.lower', ',.0f')} to {self.money(f'{path}.upper')}"

    def count(self, path: str) -> str:
        """A whole number."""
        return self.state(path, ",.0f")

    def share(self, path: str) -> str:
        """A share in percent."""
        return self.state(path, ".1%")
