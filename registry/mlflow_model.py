"""The model as MLflow loads it, from code and native files (MLflow's "models from code").

MLflow runs this file with the package `churn` beside it, in an archive that `packed_code.py` creates;
it needs nothing else of this project.
"""

import sys
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel

# MLflow puts the archive's folder on the path, but not what lies in it.
_PACKED = Path(__file__).with_name("code") / "churn.zip"
if _PACKED.is_file():
    sys.path.insert(0, str(_PACKED))

from churn.models.trained import TrainedModel  # noqa: E402 - from the archive
from churn.scoring.encoder import RowEncoder  # noqa: E402


class ChurnModel(PythonModel):
    """Customers in, probabilities of leaving out."""

    def load_context(self, context: Any) -> None:
        """Loads and verifies the native files."""
        self.model = TrainedModel.load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: Any,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 - MLflow's signature
    ) -> pd.DataFrame:
        """One probability a row.

        Raises:
            FieldError: A value is not what the contract allows, as for a request.
        """
        contract = self.model.contract
        known = [each.name for each in contract.features if each.name in model_input.columns]
        features = model_input[known].astype(object)
        rows = features.where(features.notna(), None).to_dict(orient="records")  # type: ignore[call-overload]
        probability = self.model.probability(RowEncoder(contract).columns(rows))
        return pd.DataFrame({"probability": probability})


mlflow.models.set_model(ChurnModel())
