"""The model as MLflow loads it: from code and native files (MLflow's "models from code").

MLflow runs this file with `churn/` beside it; nothing else of this project is needed there.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from churn.features.encoding import encode
from churn.models.trained import TrainedModel


class ChurnModel(mlflow.pyfunc.PythonModel):
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
        """One probability a row."""
        columns = encode(model_input, self.model.contract)
        return pd.DataFrame({"probability": self.model.probability(columns)})


mlflow.models.set_model(ChurnModel())
