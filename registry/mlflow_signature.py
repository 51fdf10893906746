"""MLflow signature of a model, from the data contract.

Written by hand, because MLflow infers from pandas' `category` columns a signature that makes its
own `predict` fail.
"""

from typing import Any

from churn.contract import DataContract, NumberColumn

PROBABILITY = "probability"


def model_signature(contract: DataContract) -> Any:
    """Returns the signature: text for categories, doubles for numbers; one probability a customer."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec

    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(
            DataType.double if isinstance(column, NumberColumn) else DataType.string, column.name
        )
        for column in contract.features
    ]
    return ModelSignature(
        inputs=Schema(inputs), outputs=Schema([ColSpec(DataType.double, PROBABILITY)])
    )
