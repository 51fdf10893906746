"""What a campaign is planned from as artifacts: arrays in one npz file, texts as parquet, the rest as JSON."""

import json
from dataclasses import fields
from typing import Any, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter
from zenml.enums import ArtifactType

from churn.campaign.call_list import CampaignLists
from churn.campaign.campaign_plan import CampaignPlan
from churn.campaign.scored_customers import ScoredCustomers
from churn.retention.value import RemainingMargin
from materializers.folder_materializer import FolderMaterializer

_ARRAYS = "arrays.npz"
_FACTS = "facts.json"
_COLUMNS = "columns"


class CampaignMaterializer(FolderMaterializer):
    """Stores a dataclass field by field, by what the field holds; no pickle."""

    ASSOCIATED_TYPES = (ScoredCustomers, RemainingMargin, CampaignPlan, CampaignLists)
    ASSOCIATED_ARTIFACT_TYPE = ArtifactType.DATA

    def save(self, data: Any) -> None:
        """Writes the fields."""
        arrays: dict[str, Any] = {}
        facts: dict[str, Any] = {}
        with self.output_folder() as folder:
            for name, value in _values(data).items():
                if isinstance(value, np.ndarray):
                    arrays[name] = value
                elif isinstance(value, pa.Table):
                    pq.write_table(value, folder / f"{name}.parquet")
                elif name == _COLUMNS:
                    arrays |= {f"{_COLUMNS}/{column}": each for column, each in value.items()}
                else:
                    facts[name] = value
            np.savez_compressed(folder / _ARRAYS, **arrays)
            (folder / _FACTS).write_bytes(TypeAdapter(dict[str, Any]).dump_json(facts))

    def load(self, data_type: type[Any]) -> Any:
        """Reads the dataclass back."""
        hints = get_type_hints(data_type)
        with self.input_folder() as folder, np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            facts = json.loads((folder / _FACTS).read_bytes())
            read: dict[str, Any] = {
                name: TypeAdapter(hints[name]).validate_json(json.dumps(value))
                for name, value in facts.items()
            }
            columns = {}
            for name in arrays.files:
                group, slash, column = name.partition("/")
                if slash:
                    columns[column] = arrays[name]
                else:
                    read[group] = arrays[name]
            if columns:
                read[_COLUMNS] = columns
            for path in folder.glob("*.parquet"):
                read[path.stem] = pq.read_table(path)
        return data_type(**read)

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """How many customers."""
        if isinstance(data, CampaignLists):
            return {"called": len(data.called), "others": len(data.others)}
        first = next(v for v in _values(data).values() if isinstance(v, np.ndarray))
        return {"customers": len(first)}


def _values(data: Any) -> dict[str, Any]:
    return {field.name: getattr(data, field.name) for field in fields(data)}
