"""The model as MLflow loads it, from code and native files (MLflow's "models from code").

MLflow runs this file with the package `churn` beside it, in an archive that `packed_code.py` creates;
it needs nothing else of this project.
"""

import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModel

# MLflow puts the archive's folder on the path, but not what lies in it.
_PACKED = Path(__file__).with_name("code") / "churn.zip"
if _PACKED.is_file():
    sys.path.insert(0, str(_PACKED))

from churn.errors import InputError, error_reason  # noqa: E402 - from the archive
from churn.models.trained import TrainedModel  # noqa: E402
from churn.scoring.encoder import Row, RowEncoder  # noqa: E402


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
        """One probability a row, under the index of the input.

        Args:
            context: not read.
            model_input: customers; also as columns by name or a list of objects, which is what
                MLflow's server makes of JSON. The id, the date and the target may stand in it.
            params: there are none.

        Raises:
            MlflowException: a customer is not what the contract allows; the server answers 400.
        """
        contract = self.model.contract
        encoder = RowEncoder(contract)
        try:
            table = _table(model_input)
            customers = table.drop(columns=list(contract.unscored), errors="ignore")
            encoder.require_fields(list(customers.columns))
            columns = encoder.columns(_rows(customers))
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None
        return pd.DataFrame({"probability": self.model.probability(columns)}, index=table.index)


def _table(model_input: Any) -> pd.DataFrame:
    try:
        table = pd.DataFrame(model_input)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The input is no table of customers: {error_reason(error)}. Give a DataFrame with a row a customer."
        ) from None
    if isinstance(model_input, list):  # MLflow's server makes an array of each value in it
        table = table.map(_scalar)
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputError(f"Column '{twice[0]}' is there twice in the table. Keep one.")
    return table


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) and not value.ndim else value


def _rows(customers: pd.DataFrame) -> list[Row]:
    values = customers.astype(object)
    # Whatever pandas or numpy has for nothing is a blank.
    rows: list[Row] = values.where(values.notna(), None).to_dict(orient="records")  # type: ignore[call-overload]
    return rows


mlflow.models.set_model(ChurnModel())
