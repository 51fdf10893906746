"""What was deployed where, kept beside the decisions: rows that are only ever added."""

from __future__ import annotations

from pydantic import ValidationError
from sqlalchemy import insert, select

from churn.deployment.deployment_record import Deployment
from churn.errors import InputError
from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import DEPLOYMENTS


class DeploymentLedger(DatabaseLedger):
    """Deployments in a database."""

    def record(self, deployment: Deployment) -> None:
        """Keeps a deployment."""
        row = {
            "recorded_at": deployment.at,
            "model": deployment.model,
            "version": deployment.version,
            "target": deployment.target,
            "status": deployment.status,
            "serving": deployment.serving,
            "deployment": deployment.model_dump_json(),
        }
        with self.transaction() as connection:
            connection.execute(insert(DEPLOYMENTS), row)

    def deployments(self, model: str) -> list[Deployment]:
        """Every deployment of a model, newest first.

        Raises:
            InputError: the database cannot be read, or a record in it is not one of ours.
        """
        query = select(DEPLOYMENTS.c.deployment).where(DEPLOYMENTS.c.model == model)
        rows = self.rows(query.order_by(DEPLOYMENTS.c.id.desc()))
        try:
            return [Deployment.model_validate_json(row["deployment"]) for row in rows]
        except ValidationError as error:
            raise InputError(
                f"The ledger at {self.place} holds a deployment of {model!r} that cannot "
                f"be read ({error.error_count()} errors). Use the release that wrote it, or another "
                "ledger."
            ) from None
