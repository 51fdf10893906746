"""Settings of the pipelines: frozen, strict, and read without loading anything heavy.

A setting comes from the pipeline's file, then from the profile's part of that file, then from
`--set`. What is not known is refused; nothing is guessed.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from churn.checks.deepchecks.deepchecks_settings import ValidationSettings
from churn.deployment.deployment_settings import (
    Action,
    ComposeSettings,
    KubernetesSettings,
    LocalSettings,
    SeldonSettings,
    SmokeSettings,
    TargetName,
    ZenmlSettings,
)
from churn.evaluation.plan import (
    Floors,
    PromotionSettings,
    ProtocolSettings,
    RecipeName,
    Seed,
    SelectionPlan,
    SliceSettings,
)
from churn.explain.explanation_settings import ExplanationSettings
from churn.frozen_model import FrozenSettings
from churn.models.recipe_settings import (
    BlendSettings,
    RecipeSettings,
    deep_recipes,
    default_recipes,
    expensive_recipes,
)
from churn.profile import Profile, require_own_registry
from churn.retention.value_settings import ThresholdSettings, ValueSettings

VersionName = Annotated[str, BeforeValidator(lambda v: str(v) if isinstance(v, int) else v)]
"""A version on the Model Control Plane; `--set challenger=7` is read as a number, and meant as a name."""
ModelName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]*)?$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]


class ContractSettings(FrozenSettings):
    """Which business a pipeline works for.

    Attributes:
        contract: the data contract's file.
    """

    contract: Annotated[str, Field(min_length=1)] = "data/contracts/telco.yaml"


class DataSettings(ContractSettings):
    """Which table a pipeline works on.

    Attributes:
        source: `bundled`, or any address of docs/sources.md: a path, a bucket, a database, https.
        sha256: what the bytes must hash to; required for https.
        on_shift: what a large shift from the accepted table does: `refuse`; or `report`, for a
            retraining that is caused by it.
    """

    source: Annotated[str, Field(min_length=1)] = "bundled"
    sha256: Sha256 | None = None
    on_shift: Literal["refuse", "report"] = "refuse"


class SplitSettings(FrozenSettings):
    """How many rows are set aside before anything is fitted.

    Attributes:
        gate_fraction: share of the rows, 0.05 to 0.5.
        seed: fixes which.
    """

    gate_fraction: Annotated[float, Field(ge=0.05, le=0.5)] = 0.2
    seed: Seed = 11


class EvaluationSettings(FrozenSettings):
    """How the final model is measured on the gate rows.

    Attributes:
        bootstrap_samples: resamplings of the customers behind every interval.
        seed: fixes them.
    """

    bootstrap_samples: Annotated[int, Field(ge=100, le=20_000)] = 2000
    seed: Seed = 7


class RegistrationSettings(FrozenSettings):
    """The model on the Model Control Plane: ZenML's own fields, under ZenML's own names.

    An empty name, description and ethics follow the data contract.
    """

    name: ModelName = ""
    description: str | None = None
    license: str | None = None
    audience: str | None = None
    use_cases: str | None = None
    limitations: str | None = None
    trade_offs: str | None = None
    ethics: str | None = None
    tags: tuple[str, ...] = ()


class OutputSettings(FrozenSettings):
    """Where a pipeline keeps what it writes on this machine.

    Attributes:
        folder: everything of the run, ZenML's database and artifacts included; relative to the
            project. None for what CHURN_HOME names, or `.churn`.
    """

    folder: Annotated[str, Field(min_length=1)] | None = None


class NestedSettings(FrozenSettings):
    """Recipes that are too expensive for fifty splits: tuned ones and networks, judged on five.

    Attributes:
        candidates: names of recipes, the baseline among them; empty leaves it all out.
    """

    candidates: tuple[RecipeName, ...] = ()


class TrainingSettings(FrozenSettings):
    """Settings of the training pipeline.

    Attributes:
        profile: `full`; `quick` for less of the same; `deep` for tuning and networks, too; `demo` for
            less of the same under a model name that is never in production.
        data: the table.
        split: the rows set aside.
        candidates: names of the recipes to train, the simplest first.
        recipes: the settings of each recipe, by name.
        selection: the cross-validation that chooses.
        protocol: the cross-validation that judges.
        nested: expensive recipes, judged on the protocol's first repeat, tuning inside its folds.
        evaluation: the measurement on the gate rows.
        floors: what a first model must clear.
        value: the money behind a decision threshold; assumptions, every one.
        threshold: how the decision threshold is chosen.
        slices: when a group of customers is large enough to say something about it.
        explanation: how much work goes into the stability of reasons.
        validation: settings of the Deepchecks suites; None leaves them out, as it needs an extra.
        model: how it is registered.
        output: where files go.
        workers: splits fitted at a time, in threads.
    """

    profile: Profile = "full"
    data: DataSettings = DataSettings()
    split: SplitSettings = SplitSettings()
    candidates: Annotated[tuple[RecipeName, ...], Field(min_length=1)] = tuple(default_recipes())
    recipes: dict[RecipeName, RecipeSettings] = Field(
        default_factory=lambda: default_recipes() | deep_recipes()
    )
    selection: SelectionPlan = SelectionPlan()
    protocol: ProtocolSettings = ProtocolSettings()
    nested: NestedSettings = NestedSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    floors: Floors = Floors()
    value: ValueSettings = ValueSettings()
    threshold: ThresholdSettings = ThresholdSettings()
    slices: SliceSettings = SliceSettings()
    explanation: ExplanationSettings = ExplanationSettings()
    validation: ValidationSettings | None = None
    model: RegistrationSettings = RegistrationSettings()
    output: OutputSettings = OutputSettings()
    workers: Annotated[int, Field(ge=1, le=64)] = 2

    @model_validator(mode="after")
    def _demo_keeps_apart(self) -> TrainingSettings:
        require_own_registry(self.profile, self.model.name)
        return self

    @model_validator(mode="after")
    def _candidates_are_known(self) -> TrainingSettings:
        if len(set(self.candidates)) != len(self.candidates):
            raise ValueError("candidates names a recipe twice")
        for name in self.candidates:
            if name not in self.recipes:
                known = ", ".join(self.recipes)
                raise ValueError(f"candidates names '{name}', which is not among recipes: {known}")
        if self.protocol.baseline not in self.candidates:
            raise ValueError(
                f"protocol.baseline is '{self.protocol.baseline}', which is not among candidates: "
                f"{', '.join(self.candidates)}"
            )
        return self

    @model_validator(mode="after")
    def _expensive_ones_are_nested(self) -> TrainingSettings:
        nested = self.nested.candidates
        for name in nested:
            if name not in self.recipes:
                raise ValueError(f"nested.candidates names '{name}', which is not among recipes")
        if nested and self.protocol.baseline not in nested:
            raise ValueError(
                f"nested.candidates must name the baseline '{self.protocol.baseline}', too"
            )
        expensive = set(expensive_recipes(self.recipes))
        for name in self.candidates:
            if name in expensive and name not in nested:
                raise ValueError(
                    f"candidates names '{name}', which is too expensive for the protocol's "
                    f"{self.protocol.splits} splits; name it in nested.candidates, too, as "
                    "profile=deep does"
                )
        return self

    @property
    def cheap_candidates(self) -> tuple[str, ...]:
        """Candidates that the whole protocol judges."""
        expensive = set(expensive_recipes(self.recipes))
        return tuple(name for name in self.candidates if name not in expensive)

    @model_validator(mode="after")
    def _members_can_be_blended(self) -> TrainingSettings:
        blends = {k: v for k, v in self.recipes.items() if isinstance(v, BlendSettings)}
        single = [name for name in self.recipes if name not in blends]
        for name, blend in blends.items():
            for member in blend.members:
                if member not in single:
                    raise ValueError(
                        f"recipes.{name}.members names '{member}', which is not among the recipes "
                        f"that can be blended: {', '.join(single)}"
                    )
        return self


class ApprovalSettings(FrozenSettings):
    """A person's approval, recorded with the run.

    Attributes:
        person: who approves; empty for nobody.
        version: the version they approve, which must be the challenger's; empty for nobody.
        note: why, in their words.
    """

    person: str = ""
    version: VersionName = ""
    note: str = ""

    @model_validator(mode="after")
    def _whole(self) -> ApprovalSettings:
        if bool(self.person.strip()) != bool(self.version.strip()):
            raise ValueError("an approval names both approve.person and approve.version")
        return self


class OverrideSettings(FrozenSettings):
    """A person's word that one version may be judged although training did not clear it.

    Attributes:
        person: who takes the responsibility.
        version: the version.
        reason: why, for the record.
    """

    person: str = ""
    version: VersionName = ""
    reason: str = ""

    @model_validator(mode="after")
    def _whole(self) -> OverrideSettings:
        given = [bool(each.strip()) for each in (self.person, self.version, self.reason)]
        if any(given) and not all(given):
            raise ValueError(
                "an override names override.person, override.version and override.reason"
            )
        return self


class NamedModel(FrozenSettings):
    """Which model on the Model Control Plane.

    Attributes:
        name: its name there; empty for the one that training gives under the same data contract.
    """

    name: ModelName = ""


class _AfterTraining(FrozenSettings):
    """What promotion and rollback share.

    Attributes:
        profile: `full`, `quick` for less of the same, or `demo` for what was trained with it.
        data: the business, by which an empty model name is found.
        model: which model.
        ledger: a database address; empty for SQLite in the output folder.
        output: where bundles and reports go.
    """

    profile: Profile = "full"
    data: ContractSettings = ContractSettings()
    model: NamedModel = NamedModel()
    ledger: str = ""
    output: OutputSettings = OutputSettings()

    @model_validator(mode="after")
    def _demo_keeps_apart(self) -> Self:
        require_own_registry(self.profile, self.model.name)
        return self


class PromotionPipelineSettings(_AfterTraining):
    """Settings of the promotion pipeline.

    Attributes:
        challenger: the version to promote; empty for the one that training has staged.
        approval: `required` waits for a person's recorded approval.
        approve: that approval.
        only_judge: judges and records the decision, and promotes nothing.
        override: lets a version be judged that training held or rejected.
        floors: what a first model must clear.
        gates: what a challenger must show against the champion.
        value: the money behind expected profit; assumptions, every one.
        latency_budget_ms: what scoring one customer may take, median, on this machine.
    """

    challenger: VersionName = ""
    approval: Literal["none", "required"] = "none"
    approve: ApprovalSettings = ApprovalSettings()
    only_judge: bool = False
    override: OverrideSettings = OverrideSettings()
    floors: Floors = Floors()
    gates: PromotionSettings = PromotionSettings()
    value: ValueSettings = ValueSettings()
    latency_budget_ms: Annotated[float, Field(gt=0, le=10_000)] = 5.0


class RollbackSettings(_AfterTraining):
    """Settings of the rollback pipeline.

    Attributes:
        dry_run: only say what would be put back.
        reason: why, for the record.
    """

    dry_run: bool = False
    reason: str = ""


class DeploymentSettings(_AfterTraining):
    """Settings of the deployment pipeline.

    Attributes:
        target: where the production version is to be served.
        action: `deploy`; or `stop`, for what runs on this machine: local and zenml.
        dry_run: only say what would be done.
        local: the service as a process of this machine.
        compose: the service of docker-compose.yml.
        kubernetes: the manifests of deployment/manifests/kubernetes.
        seldon: settings of service.seldon.render.
        zenml: the scoring pipeline as a service of ZenML's.
        smoke: how the golden rows are requested.
    """

    target: TargetName = "local"
    action: Action = "deploy"
    dry_run: bool = False
    local: LocalSettings = LocalSettings()
    compose: ComposeSettings = ComposeSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    seldon: SeldonSettings = SeldonSettings()
    zenml: ZenmlSettings = ZenmlSettings()
    smoke: SmokeSettings = SmokeSettings()

    @model_validator(mode="after")
    def _only_ours_is_stopped(self) -> DeploymentSettings:
        if self.action == "stop" and self.target not in {"local", "zenml"}:
            raise ValueError(
                f"action=stop stops target=local and target=zenml alone; {self.target} has its own "
                "commands, which docs/deployment.md lists"
            )
        return self
