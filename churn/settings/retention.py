"""Settings of the retention pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from churn.experiments.experiment_settings import ExperimentSettings
from churn.frozen_model import FrozenSettings
from churn.profile import Profile, require_own_registry
from churn.retention.roi_settings import RoiSettings
from churn.retention.value_settings import HorizonSettings, MarginSettings
from churn.root import ROOT
from churn.settings.pipelines import DataSettings, NamedModel, OutputSettings, VersionName


class RenewalSettings(FrozenSettings):
    """A cohort of renewals, where a business knows that better than tenures.

    Attributes:
        survivors: customers of one cohort at its beginning and after each renewal; where given, stays
            follow it (shifted-beta-geometric) instead of a model of tenure.
        months: between two renewals.
    """

    survivors: tuple[Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)], ...] = ()
    months: Annotated[int, Field(ge=1, le=120)] = 12


class HoldoutSettings(FrozenSettings):
    """Customers who are left out of every campaign by chance.

    Attributes:
        share: of the customers.
        salt: fixes which, where no earlier campaign's file knows a customer's arm.
    """

    share: Annotated[float, Field(ge=0.001, le=0.5)] = 0.05
    salt: Annotated[str, Field(min_length=1, max_length=64)] = "no contact"


class RetentionSettings(FrozenSettings):
    """Settings of the retention pipeline.

    Attributes:
        profile: `demo` for a model that was trained with it.
        data: the table with outcomes that stays are estimated from.
        model: which model scores.
        version: of it; empty for the one in production.
        input: address of the customers to decide on, as docs/sources.md lists them; empty for those of
            `data`.
        playbook: the offers' file; empty for data/playbooks/<contract>.yaml.
        value: what a customer still brings; assumptions.
        horizon: how far ahead margins count.
        renewals: a cohort of renewals, instead of tenures.
        reasons: sentences a customer, at most.
        smallest_cohort: rarer reasons are taken together.
        holdout: customers who are left out of every campaign by chance.
        experiment: how the campaign's effect is measured, and which experiment is read out.
        roi: how the return is simulated.
        suppression: a CSV file with the ids of customers who must not be contacted; empty for none.
        export: address of a file or a database's table that the call list goes to as well.
        record: whether the ledger keeps who is on the list and who is in the holdout.
        ledger: a database address; empty for the stack's, or SQLite in the output folder.
        output: where files go.
    """

    profile: Profile = "full"
    data: DataSettings = DataSettings()
    model: NamedModel = NamedModel()
    version: VersionName = ""
    input: str = ""
    playbook: str = ""
    value: MarginSettings = MarginSettings()
    horizon: HorizonSettings = HorizonSettings()
    renewals: RenewalSettings = RenewalSettings()
    reasons: Annotated[int, Field(ge=1, le=20)] = 3
    smallest_cohort: Annotated[int, Field(ge=1, le=10**6)] = 30
    holdout: HoldoutSettings = HoldoutSettings()
    experiment: ExperimentSettings = ExperimentSettings()
    roi: RoiSettings = RoiSettings()
    suppression: str = ""
    export: str = ""
    record: bool = True
    ledger: str = ""
    output: OutputSettings = OutputSettings()

    def playbook_file(self, contract: str) -> Path:
        """The playbook, by the contract's name where none is named."""
        if self.playbook:
            return Path(self.playbook).expanduser().absolute()
        return ROOT / "data" / "playbooks" / f"{contract}.yaml"

    @property
    def suppression_file(self) -> Path:
        """The suppression list, where one is named."""
        return Path(self.suppression).expanduser().absolute()

    @model_validator(mode="after")
    def _demo_keeps_apart(self) -> Self:
        require_own_registry(self.profile, self.model.name)
        return self
