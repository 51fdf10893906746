"""Versions of a model on the Model Control Plane, and what a training run linked to them."""

from dataclasses import dataclass
from typing import Any

from zenml.enums import ModelStages
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.models import ArtifactVersionResponse, ModelVersionResponse
from zenml.utils.source_utils import resolve

from churn.data import Dataset
from churn.data.quality import QualityReport
from churn.data.split import Split
from churn.errors import InputError
from churn.evaluation.protocol import ProtocolReport
from churn.evaluation.threshold import ThresholdReport
from churn.features.encoding import Columns, encode, encode_target, take
from churn.models.trained import TrainedModel
from churn.reports.model_card.card import ModelCard
from churn.reports.model_card.card_page import model_card_markdown
from materializers.dataset_materializer import DatasetMaterializer
from materializers.model_materializer import ModelMaterializer
from materializers.report_materializer import ReportMaterializer
from materializers.split_materializer import SplitMaterializer
from registry.artifacts import Artifact
from registry.control_plane import control_plane


@dataclass(frozen=True)
class Trained:
    """Everything that training linked to one version.

    Attributes:
        version: The version's number.
        model: The model itself.
        customers: The table it comes from.
        split: Which rows it was fitted on, and which were set aside.
        quality: What the quality gate said of the table.
        protocol: What the protocol says of its recipe.
        threshold: How its decision threshold was chosen.
        card: Its model card, Markdown; None for a version that has none.
    """

    version: str
    model: TrainedModel
    customers: Dataset
    split: Split
    quality: QualityReport
    protocol: ProtocolReport
    threshold: ThresholdReport
    card: str | None

    @property
    def columns(self) -> Columns:
        """Feature columns of the whole table."""
        return encode(self.customers.frame, self.customers.contract)

    @property
    def development_columns(self) -> Columns:
        """Feature columns of the rows it was fitted on."""
        return take(self.columns, self.split.development)

    @property
    def target(self) -> Any:
        """Who left, int8[n], of the whole table."""
        return encode_target(self.customers.frame, self.customers.contract)


def find_version(model: str, version: str | ModelStages) -> ModelVersionResponse | None:
    """A version by its number or stage; None where there is none."""
    return control_plane().find(model, version)


def load_trained_version(version: ModelVersionResponse) -> Trained:
    """Loads what training linked to a version.

    Raises:
        InputError: something is missing, so that the version cannot be judged.
    """
    artifacts: dict[str, tuple[Artifact, type[Any], type[BaseMaterializer]]] = {
        "model": (Artifact.MODEL, TrainedModel, ModelMaterializer),
        "customers": (Artifact.CUSTOMERS, Dataset, DatasetMaterializer),
        "split": (Artifact.SPLIT, Split, SplitMaterializer),
        "quality": (Artifact.QUALITY_REPORT, QualityReport, ReportMaterializer),
        "protocol": (Artifact.PROTOCOL, ProtocolReport, ReportMaterializer),
        "threshold": (Artifact.THRESHOLD, ThresholdReport, ReportMaterializer),
    }
    loaded: dict[str, Any] = {}
    for field, (artifact, kind, materializer) in artifacts.items():
        found = version.get_artifact(artifact)
        if found is None:
            raise InputError(
                f"Version {version.name} of {version.model.name} has no artifact '{artifact}', "
                "so it cannot be judged. Train it anew with run.py --pipeline training."
            )
        loaded[field] = _load(found, kind, materializer)
    card = version.get_artifact(Artifact.MODEL_CARD)
    loaded["card"] = (
        model_card_markdown(_load(card, ModelCard, ReportMaterializer))
        if card is not None
        else None
    )
    return Trained(version=str(version.name), **loaded)


def _load(
    artifact: ArtifactVersionResponse, kind: type[Any], materializer: type[BaseMaterializer]
) -> Any:
    """The content of an artifact, as a class that may have moved since the artifact was saved.

    ZenML keeps the modules of the class and of its materializer; artifacts of an earlier version of
    this project name modules that do not exist any more.
    """
    body = artifact.get_body()
    body.data_type, body.materializer = resolve(kind), resolve(materializer)
    return artifact.load()
