"""Versions of a model on the Model Control Plane, and the artifacts that training linked to them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zenml.enums import ModelStages
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.models import ArtifactVersionResponse, ModelVersionResponse
from zenml.utils.source_utils import resolve

from churn.data import Dataset
from churn.data.quality import QualityReport
from churn.data.split import Split
from churn.errors import InputError
from churn.evaluation.protocol import ProtocolReport, report_of_recipe
from churn.evaluation.threshold_report import ThresholdReport, served_threshold
from churn.features.encoding import Columns, encode, encode_target, take
from churn.models.trained import TrainedModel
from churn.promotion.decision import Verdict
from churn.reports.model_card.card import ModelCard
from churn.reports.model_card.card_page import model_card_markdown
from churn.scoring.address import Address
from churn.scoring.bundle import Threshold, write_bundle
from materializers.dataset_materializer import DatasetMaterializer
from materializers.model_materializer import ModelMaterializer
from materializers.report_materializer import ReportMaterializer
from materializers.split_materializer import SplitMaterializer
from registry.artifacts import Artifact
from registry.control_plane import control_plane

_BUNDLE_METRICS = ("protocol", "gate_rows")
_LINKED: dict[str, tuple[Artifact, type[Any], type[BaseMaterializer]]] = {
    "model": (Artifact.MODEL, TrainedModel, ModelMaterializer),
    "customers": (Artifact.CUSTOMERS, Dataset, DatasetMaterializer),
    "split": (Artifact.SPLIT, Split, SplitMaterializer),
    "quality": (Artifact.QUALITY_REPORT, QualityReport, ReportMaterializer),
    "protocol": (Artifact.PROTOCOL, ProtocolReport, ReportMaterializer),
    "threshold": (Artifact.THRESHOLD, ThresholdReport, ReportMaterializer),
}


@dataclass(frozen=True)
class TrainedVersion:
    """A version with the artifacts that training linked to it.

    Attributes:
        customers: The table it was trained on.
        split: Development rows, which it was fitted on, and gate rows.
        quality: Quality report of the table.
        protocol: Report of the recipes that the whole protocol measured.
        nested: Report of those that its first repeat measured; None if there were none.
        threshold: Report of its decision threshold.
        card: Its model card, Markdown; None for a version that has none.
        git_commit: Commit of the code, as its model card says; None where unknown.
        trained_at: When its model was stored, UTC.
        verdict: What its training decided; None where that was not kept.
        reasons: Sentences of the training's gates that held it back.
        profile: Profile of its training; None for a version of a release that did not record it.
    """

    version: str
    model: TrainedModel
    customers: Dataset
    split: Split
    quality: QualityReport
    protocol: ProtocolReport
    nested: ProtocolReport | None
    threshold: ThresholdReport
    card: str | None
    git_commit: str | None
    trained_at: datetime
    verdict: Verdict | None
    reasons: tuple[str, ...]
    profile: str | None

    @property
    def columns(self) -> Columns:
        """Feature columns of the whole table."""
        return encode(self.customers.frame, self.customers.contract)

    @property
    def development_columns(self) -> Columns:
        """Feature columns of the rows it was fitted on."""
        return take(self.columns, self.split.development)

    @property
    def ids(self) -> Any:
        """Customer ids of the whole table, object[n]."""
        return self.customers.frame[self.customers.contract.id.name].to_numpy()

    @property
    def target(self) -> Any:
        """Who left, int8[n], of the whole table."""
        return encode_target(self.customers.frame, self.customers.contract)

    @property
    def judged_by(self) -> ProtocolReport | None:
        """The report that judges its recipe, as in training; None if neither has it."""
        try:
            return report_of_recipe(self.model.recipe, self.protocol, self.nested)
        except InputError:
            return None

    @property
    def bundle_threshold(self) -> Threshold:
        """Its decision threshold as a bundle states it."""
        value = served_threshold(self.threshold, self.model.recalibration)
        return Threshold(value=value, basis=self.threshold.basis)


def find_version(model: str, version: str | ModelStages) -> ModelVersionResponse | None:
    """Returns a version by its number or stage; None if there is none."""
    return control_plane().find_version(model, version)


def load_trained_version(version: ModelVersionResponse) -> TrainedVersion:
    """Loads the artifacts that training linked to a version.

    Raises:
        InputError: something is missing, so that the version cannot be judged.
    """
    loaded: dict[str, Any] = {}
    for field, (artifact, kind, materializer) in _LINKED.items():
        linked = version.get_artifact(artifact)
        if linked is None:
            raise InputError(
                f"Version {version.name} of {version.model.name} has no artifact '{artifact}', "
                "so it cannot be judged. Train it anew with run.py --pipeline training."
            )
        loaded[field] = _load(linked, kind, materializer)
    metadata: dict[str, Any] = version.run_metadata
    nested = version.get_artifact(Artifact.NESTED)
    card = version.get_artifact(Artifact.MODEL_CARD)
    content = _load(card, ModelCard, ReportMaterializer) if card is not None else None
    return TrainedVersion(
        **loaded,
        version=str(version.name),
        nested=_load(nested, ProtocolReport, ReportMaterializer) if nested is not None else None,
        card=model_card_markdown(content) if content else None,
        git_commit=content.provenance.git_commit if content else None,
        trained_at=_trained_at(version),
        verdict=metadata.get("verdict"),
        reasons=tuple(metadata.get("reasons", ())),
        profile=metadata.get("profile"),
    )


def _trained_at(version: ModelVersionResponse) -> datetime:
    stored = version.get_artifact(Artifact.MODEL)
    assert stored is not None  # noqa: S101 - it was loaded before
    return stored.created.replace(tzinfo=UTC)  # ZenML's times are UTC without saying so


def _load(
    artifact: ArtifactVersionResponse, kind: type[Any], materializer: type[BaseMaterializer]
) -> Any:
    """Loads an artifact by today's classes; an earlier release may have stored other module names."""
    body = artifact.get_body()
    body.data_type, body.materializer = resolve(kind), resolve(materializer)
    return artifact.load()


def write_version_bundle(version: ModelVersionResponse, folder: Address) -> Address:
    """Writes the bundle of a version, with its figures and its model card; returns its address.

    Raises:
        InputError: the version lacks an artifact.
        BundleError: the folder holds something else, or the bundle does not score as the model.
    """
    trained, metadata = load_trained_version(version), version.run_metadata
    return write_bundle(
        folder,
        trained.model,
        trained.development_columns,
        name=version.model.name,
        version=trained.version,
        threshold=trained.bundle_threshold,
        metrics={name: metadata[name] for name in _BUNDLE_METRICS if name in metadata},
        git_commit=trained.git_commit,
        profile=trained.profile,
        model_card=trained.card,
        created=trained.trained_at,
    )
