"""Settings of the batch inference pipeline."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from churn.batch.batch_settings import Duplicates, EngineName, PartFormat
from churn.frozen_model import FrozenSettings
from churn.profile import Profile, require_own_registry
from churn.settings.pipelines import ContractSettings, NamedModel, VersionName
from churn.settings.prometheus import PrometheusSettings


def _share_or_number(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        most = math.inf if isinstance(value, int) else 1
        if 0 <= value <= most:
            return value
    raise ValueError("must be a share from 0 to 1, such as 0.01, or a whole number of rows")


class BatchInferenceSettings(FrozenSettings):
    """Which table is scored, by which version, and where to.

    Attributes:
        profile: `demo` for a model that was trained with it.
        data: the business, by which an empty model name is found.
        model: which model.
        version: of the model; empty for the one in production.
        input: address of the table, as docs/sources.md lists them.
        output: a folder of this machine or of a bucket, or the address of a database's table.
        append: of a table: whether the rows of earlier jobs stay; otherwise a customer's row is replaced.
        records: folder of job, manifest and rejected rows where the output is a table; empty for one in
            the state folder.
        format: of the files with the scores.
        explain: reasons a customer, at most; 0 for none.
        duplicates: whether rows with the id of an earlier row are set aside, or refuse the input.
        max_bad_rows: beyond so many refused rows nothing is scored; a number with a point is a share.
        record_predictions: whether the ledger keeps the predictions.
        keep_inputs: whether the scored rows are kept for monitoring, under pseudonyms.
        keep_inputs_days: for so many days; what is older is deleted.
        inputs: where they are kept; empty for the stack's place, or `inputs` in the state folder.
        ledger: a database address; empty for the stack's, or SQLite in the state folder.
        engine: what scores: the cores of this machine, or a Spark cluster.
        spark_master: address of the cluster; empty for what spark-submit or Spark's configuration says.
        prometheus: where the figures go.
        rows_a_part: rows of the input that a file stands for, at most.
    """

    profile: Profile = "full"
    data: ContractSettings = ContractSettings()
    model: NamedModel = NamedModel()
    version: VersionName = ""
    input: str = ""
    output: str = ""
    append: bool = False
    records: str = ""
    format: PartFormat = "parquet"
    explain: Annotated[int, Field(ge=0, le=20)] = 0
    duplicates: Duplicates = "set_aside"
    max_bad_rows: Annotated[int | float, BeforeValidator(_share_or_number)] = 0.01
    record_predictions: bool = True
    keep_inputs: bool = False
    keep_inputs_days: Annotated[int, Field(ge=1, le=3660)] = 90
    inputs: str = ""
    ledger: str = ""
    engine: EngineName = "local"
    spark_master: str = ""
    prometheus: PrometheusSettings = PrometheusSettings()
    rows_a_part: Annotated[int, Field(ge=1, le=1 << 20)] = 1 << 16

    @model_validator(mode="after")
    def _demo_keeps_apart(self) -> BatchInferenceSettings:
        require_own_registry(self.profile, self.model.name)
        return self
