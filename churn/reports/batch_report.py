"""What a batch run has done: counts, and the distribution of the scores beside the last run's."""

from __future__ import annotations

from pydantic import AwareDatetime

from churn.batch.manifest import BatchManifest
from churn.batch.run_batch import BatchResult
from churn.frozen_model import FrozenModel
from churn.run_result import RunResult


class ScoreDistribution(FrozenModel):
    """How the scores of a run are distributed.

    Attributes:
        version: that scored.
        scored_at: when.
        rows: customers that were scored.
        positive: how many reach the threshold.
        histogram: customers in equal bins of the probability, 0 to 1.
    """

    version: str
    scored_at: AwareDatetime
    rows: int
    positive: int
    histogram: tuple[int, ...]

    @property
    def share(self) -> float:
        """Share of the customers that reach the threshold."""
        return self.positive / self.rows if self.rows else 0.0


class BatchReport(RunResult):
    """A batch run.

    Attributes:
        manifest: what the output's manifest says, without the parts.
        output: where the scores are.
        records: the folder of job, manifest and rejected rows; another where the scores are in a table.
        threshold: probability from which on a customer needs action.
        last: distribution of the last run of the model; None for the first.
    """

    model: str
    manifest: BatchManifest
    output: str
    records: str
    threshold: float
    last: ScoreDistribution | None = None

    @property
    def distribution(self) -> ScoreDistribution:
        """How the scores of this run are distributed."""
        done = self.manifest
        return ScoreDistribution(
            version=done.job.version,
            scored_at=done.job.scored_at,
            rows=done.accepted,
            positive=done.positive,
            histogram=done.histogram,
        )

    @property
    def finding(self) -> str:
        """What the distribution says, beside the last run's."""
        now, last = self.distribution, self.last
        said = f"{now.share:.1%} of the customers need action"
        if last is None:
            return said
        change = round(100 * now.share, 1) - round(100 * last.share, 1)
        if abs(change) < 0.05:  # noqa: PLR2004 - what one decimal cannot show
            return f"{said}, as in the last run"
        points = "point" if f"{abs(change):.1f}" == "1.0" else "points"
        return f"{said}, {abs(change):.1f} {points} {'more' if change > 0 else 'less'} than in the last run"

    @property
    def figures(self) -> dict[str, float]:
        """Counts and seconds, for `--json` and the run's metadata."""
        done = self.manifest
        return {
            "rows": done.rows,
            "accepted": done.accepted,
            "rejected": done.rejected,
            "repeated": done.repeated,
            "positive": done.positive,
            "ledger_rows": done.ledger_rows,
            "parts_found": done.parts_found,
            "seconds": done.seconds,
        }

    @property
    def lines(self) -> dict[str, str]:
        """Version and places, for the terminal."""
        job = self.manifest.job
        found = {"model": f"{job.model} version {job.version}", "output": self.output}
        if self.records != self.output:
            found["records"] = self.records
        if self.manifest.rejected:
            found["set aside"] = f"{self.records}/{self.manifest.rejected_rows.name}"
        if self.manifest.not_read:
            found["not read"] = f"{', '.join(self.manifest.not_read)}: no score depends on it"
        return found


def batch_report(
    result: BatchResult, table: str = "", last: BatchReport | None = None
) -> BatchReport:
    """The report of a run, with the distribution of the last run's report beside its own.

    Args:
        result: of the run.
        table: the table that has the scores; empty where they lie beside the records.
        last: the last run's report.
    """
    done = result.manifest
    before = last.distribution if last is not None else None
    if last is not None and last.manifest.job_id == done.job_id:
        before = last.last  # the same output, looked at again
    at = f"{done.job.scored_at:%Y-%m-%d %H:%M} UTC"
    if result.unchanged:
        sentence = f"the output is complete since {at} and is not written again"
    else:
        aside = f"{done.rejected:,} row{'' if done.rejected == 1 else 's'} set aside"
        sentence = f"{done.accepted:,} of {done.rows:,} customers scored, {aside}"
        if done.parts_found:
            parts = "part was" if done.parts_found == 1 else "parts were"
            sentence += f"; {done.parts_found:,} {parts} there already"
    sentence += f"; {done.positive:,} need action"
    status = "unchanged" if result.unchanged else "scored"
    if done.status == "refused":
        status, sentence = "refused", done.reason
    return BatchReport(
        status=status,
        sentence=sentence,
        model=done.job.model,
        manifest=done.model_copy(update={"parts": ()}),
        output=table or result.records,
        records=result.records,
        threshold=result.threshold,
        last=before,
    )
