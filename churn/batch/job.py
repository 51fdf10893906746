"""The job of an output: what is scored by which version and at which moment, written before the first part."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import AwareDatetime, Field

from churn.batch.batch_settings import Duplicates, PartFormat
from churn.frozen_model import FrozenModel
from churn.ledger.prediction import Role
from churn.scoring.manifest import VERSION_PATTERN, Sha256

JOB = "job.json"

_AT_THE_START = {
    "input",
    "scored_at",
    "version",
    "bundle",
    "role",
}  # the address: of equal content


class BatchJob(FrozenModel):
    """All that the content of an output depends on.

    Attributes:
        input: address of the table, without credentials.
        input_digest: SHA-256 of its content.
        model: name of the model.
        version: of the model.
        bundle: SHA-256 of the version's manifest.
        contract: digest of the data contract, and of how it translates the input.
        scored_at: time of every row and every prediction in the ledger.
        explain: reasons a customer, at most.
        duplicates: what becomes of rows whose id an earlier row has.
        format: of the parts.
        rows_a_part: rows of the input that a part stands for, at most.
        in_ledger: whether the ledger keeps the predictions.
        role: of the predictions there: `production`, or `shadow` for a version that was not in
            production when the job began.
    """

    format_version: Literal[1] = 1
    input: str
    input_digest: Sha256
    model: str
    version: str = Field(pattern=VERSION_PATTERN)
    bundle: Sha256
    contract: Sha256
    scored_at: AwareDatetime
    explain: int
    duplicates: Duplicates
    format: PartFormat
    rows_a_part: int
    in_ledger: bool
    role: Role

    @property
    def id(self) -> str:
        """Names the job: 80 bits of all its fields, as hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:20]

    def prediction_ids(self, rows: list[int]) -> list[str]:
        """The ids that predictions of these rows have in the ledger: job and row number."""
        job = self.id
        return [f"{job}{row:012x}" for row in rows]

    def differences(self, other: BatchJob) -> list[str]:
        """What another job asks otherwise; when it is asked, and for which version, is no difference."""
        mine, theirs = (
            self.model_dump(exclude=_AT_THE_START),
            other.model_dump(exclude=_AT_THE_START),
        )
        return [name for name in mine if mine[name] != theirs[name]]
