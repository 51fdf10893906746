"""What was decided, kept in a database: every promotion decision, and every person's approval."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError
from sqlalchemy import insert, select

from churn.errors import InputError
from churn.frozen_model import FrozenModel
from churn.ledger.changes import ChangeLedger
from churn.ledger.ledger_tables import APPROVALS, DECISIONS
from churn.promotion.decision import Decision, Verdict
from churn.promotion.earlier_decisions import EarlierDecision


class RecordedDecision(EarlierDecision):
    """A decision as it was recorded, in UTC; model and versions are the control plane's."""

    recorded_at: datetime
    model: str

    @property
    def verdict(self) -> Verdict:
        """Promote, hold or reject."""
        return self.decision.verdict


class Approval(FrozenModel):
    """A person's approval, recorded in UTC: one version of a model may go into production.

    Attributes:
        note: why, in their words; may be empty.
    """

    recorded_at: datetime
    model: str
    version: str
    person: str
    note: str


class Ledger(ChangeLedger):
    """Promotion decisions, approvals and changes of production in a database."""

    def record_decision(
        self, model: str, version: str, decision: Decision, *, champion_version: str | None = None
    ) -> RecordedDecision:
        """Keeps a decision about the challenger's version; the names are the control plane's.

        Raises:
            InputError: a name is empty, or the database cannot be written to.
        """
        _require_names(model=model, version=version)
        record = RecordedDecision(
            recorded_at=datetime.now(UTC),
            model=model,
            version=version,
            champion_version=champion_version,
            decision=decision,
        )
        row = {
            **record.model_dump(exclude={"decision"}),
            "verdict": record.verdict,
            "decision": decision.model_dump_json(),
        }
        with self.transaction() as connection:
            connection.execute(insert(DECISIONS), row)
        return record

    def decisions(self, model: str) -> list[RecordedDecision]:
        """Every decision about a model, newest first.

        Raises:
            InputError: the database cannot be read, or a record in it is not one of ours.
        """
        fields = [DECISIONS.c[name] for name in RecordedDecision.model_fields]
        query = select(*fields).where(DECISIONS.c.model == model)
        rows = self.rows(query.order_by(DECISIONS.c.id.desc()))
        try:
            return [
                RecordedDecision(
                    **row | {"decision": Decision.model_validate_json(row["decision"])}
                )
                for row in rows
            ]
        except ValidationError as error:
            raise InputError(
                f"The ledger at {self.place} holds a decision about {model!r} that cannot be read "
                f"({error.error_count()} errors). Use the release that wrote it, or another ledger."
            ) from None

    def record_approval(self, model: str, version: str, person: str, note: str = "") -> Approval:
        """Keeps a person's approval of one version.

        Raises:
            InputError: a name is empty, or the database cannot be written to.
        """
        _require_names(model=model, version=version, person=person)
        approval = Approval(
            recorded_at=datetime.now(UTC),
            model=model,
            version=version,
            person=person.strip(),
            note=note.strip(),
        )
        with self.transaction() as connection:
            connection.execute(insert(APPROVALS), approval.model_dump())
        return approval

    def approval(self, model: str, version: str) -> Approval | None:
        """The latest approval of a version; None where nobody has approved it."""
        query = select(APPROVALS).where(APPROVALS.c.model == model, APPROVALS.c.version == version)
        rows = self.rows(query.order_by(APPROVALS.c.id.desc()).limit(1))
        return Approval(**rows[0]) if rows else None


def _require_names(**names: str) -> None:
    for what, name in names.items():
        if not name.strip():
            raise InputError(f"The ledger keeps no record with an empty {what}. Name the {what}.")
