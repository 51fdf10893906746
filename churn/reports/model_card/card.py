"""The contents of a model card: the run's own reports, and what people state about the model.

After Mitchell et al. 2019 (FAT*, "Model cards for model reporting"). No figure is written by hand;
what a run did not provide is listed as missing.
"""

from __future__ import annotations

from pydantic import Field

from churn.evaluation.slices import SlicesReport
from churn.evaluation.threshold_report import ThresholdReport
from churn.frozen_model import FrozenModel
from churn.reports.model_card.card_section import CardSection
from churn.reports.training.training_report import TrainingReport

MISUSE = (
    (
        "Setting prices, refusing service, granting credit or judging staff: it was measured for none "
        "of these."
    ),
    "Treating a score as a cause: it says who resembles customers who left, not what would keep them.",
    "Any decision about one person without a way for that person to object.",
    "Customers of another business, country or time without training and evaluating it again.",
)
"""What a churn model of this project must not be used for, whatever its figures."""

RETRAIN = "python run.py --pipeline training"
ROLLBACK = "python run.py --pipeline rollback"


class Purpose(FrozenModel):
    """What people state about the model; None where it was not given.

    Attributes:
        description: what it predicts.
        audience: who is to use it.
        trade_offs: what was given up for what.
        misuse: what it must not be used for.
    """

    description: str | None = None
    owners: str | None = None
    audience: str | None = None
    use_cases: str | None = None
    limitations: str | None = None
    trade_offs: str | None = None
    ethics: str | None = None
    license: str | None = None
    misuse: tuple[str, ...] = MISUSE


class Provenance(FrozenModel):
    """Where the model comes from; None where it was not recorded.

    Attributes:
        git_commit: git commit of the code that trained it.
        contract: name and version of the data contract.
        contract_digest: SHA-256 of what the contract says.
        libraries: library -> version it was trained with.
        retrain: the command that trains it again.
        rollback: the command that puts its predecessor back.
    """

    version: str | None = None
    git_commit: str | None = None
    contract: str | None = None
    contract_digest: str | None = None
    libraries: dict[str, str] = Field(default_factory=dict)
    retrain: str = RETRAIN
    rollback: str = ROLLBACK


class ModelCard(FrozenModel):
    """A model card's contents; `card_sections` puts them into words.

    Attributes:
        explanations: what moves its scores.
        tuning: how its settings were found.
        checks: what other suites found.
    """

    report: TrainingReport
    purpose: Purpose = Purpose()
    provenance: Provenance = Provenance()
    threshold: ThresholdReport | None = None
    slices: SlicesReport | None = None
    explanations: CardSection | None = None
    tuning: CardSection | None = None
    checks: CardSection | None = None

    @property
    def title(self) -> str:
        """The model and its version."""
        version = self.provenance.version
        return f"{self.report.model_name}{f' {version}' if version else ''}: model card"
