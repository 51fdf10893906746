"""Customer tables as artifacts: parquet for the rows, JSON for contract and source, no pickle."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from zenml.enums import ArtifactType

from churn.contract import DataContract
from churn.data import Dataset, Source, parse, read_raw
from churn.reports.dataset_page import render_dataset_page
from materializers.folder_materializer import FolderMaterializer, json_digest

_TABLE = "customers.parquet"
_CONTRACT = "contract.json"
_SOURCE = "source.json"
_PLACES = "places.npy"
_PAGE = "customers.html"


class DatasetMaterializer(FolderMaterializer):
    """Stores a typed table with the contract it follows and the source it came from."""

    ASSOCIATED_TYPES = (Dataset,)
    ASSOCIATED_ARTIFACT_TYPE = ArtifactType.DATA

    def save(self, data: Dataset) -> None:
        """Writes rows, contract and source."""
        with self.output_folder() as folder:
            data.frame.to_parquet(folder / _TABLE, index=False)
            (folder / _CONTRACT).write_text(data.contract.model_dump_json(), encoding="utf-8")
            (folder / _SOURCE).write_text(json.dumps(asdict(data.source)), encoding="utf-8")
            if data.places is not None:
                np.save(folder / _PLACES, data.places, allow_pickle=False)

    def load(self, data_type: type[Any]) -> Dataset:  # noqa: ARG002 - ZenML's signature
        """Reads the table back, typed anew by its contract: types and categories as they were."""
        with self.input_folder() as folder:
            contract = DataContract.model_validate_json((folder / _CONTRACT).read_bytes())
            source = Source(**json.loads((folder / _SOURCE).read_bytes()))
            table, _ = read_raw((folder / _TABLE).read_bytes(), _TABLE)
            kept = folder / _PLACES
            places = np.load(kept, allow_pickle=False) if kept.exists() else None
        return Dataset(parse(table, contract), contract, source, places)

    def draw(self, data: Dataset) -> dict[str, bytes]:
        """The page: size, churn rate and columns in aggregate, no customer."""
        return {_PAGE: render_dataset_page(data).encode()}

    def extract_metadata(self, data: Dataset) -> dict[str, Any]:
        """Size, churn rate and origin."""
        return {
            "rows": data.rows,
            "target_rate": round(data.target_rate, 5),
            "sha256": data.source.sha256,
            "location": data.source.location,
            "contract": f"{data.contract.name} {data.contract.version}",
        }

    def compute_content_hash(self, data: Dataset) -> str:
        """Equal tables from the same source are equal artifacts."""
        rows = pd.util.hash_pandas_object(data.frame, index=False).to_numpy()
        table = hashlib.sha256(rows.tobytes()).hexdigest()
        places = [] if data.places is None else [data.places.tolist()]
        return json_digest([table, data.contract.digest(), asdict(data.source), *places])
