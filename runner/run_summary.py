"""Summary of a run on the terminal: data, quality, candidates, verdict, links."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from churn.profile import profile_note
from churn.scoring.address import address
from runner.outcome import Outcome

if TYPE_CHECKING:
    from churn.checks.validators.validator_report import ValidatorReport
    from churn.deployment.deployment_record import Deployment
    from churn.evaluation.protocol import CandidateResult
    from churn.promotion.decision import Decision, Gate
    from churn.reports.training.training_report import TrainingReport

_TOO_FEW = "too few to tell"
_WIDE = 104  # columns that all figures of the shipped candidates take
_COLOURS = {
    **dict.fromkeys(("promote", "pass", "fine"), "green"),
    **dict.fromkeys(("hold", "warn", "attention"), "yellow"),
}


def print_summary(outcome: Outcome, console: Console) -> None:
    """Prints the summary of a completed or held run."""
    console.print()
    if outcome.training is not None:
        _print_training(outcome.training, console, outcome.validated)
    elif outcome.decision is not None and not (
        outcome.promotion and outcome.promotion.status == "unchanged"
    ):
        _print_decision(outcome.decision, console)
    if outcome.promotion is not None:
        rows = _rows()
        rows.add_row("outcome", outcome.promotion.sentence)
        rows.add_row("profile", _profile(outcome.promotion.profile))
        if outcome.promotion.bundle is not None:
            place = address(outcome.promotion.bundle)
            rows.add_row("bundle", str(_relative(place)) if isinstance(place, Path) else place)
        if outcome.promotion.alias is not None:
            rows.add_row("alias", f"{outcome.promotion.alias} in MLflow")
        console.print(rows)
    if outcome.deployment is not None:
        _print_deployment(outcome.deployment, console)
    if outcome.result is not None:
        rows = _rows()
        rows.add_row("outcome", outcome.result.sentence)
        for label, text in outcome.result.lines.items():
            rows.add_row(label, text)
        console.print(rows)
    _print_links(outcome, console)


def _profile(profile: str | None) -> Text:
    note = profile_note(profile)
    return Text(note, style="yellow") if note else Text(profile or "")


def _print_deployment(deployment: Deployment, console: Console) -> None:
    for number, action in enumerate(deployment.actions, start=1):
        console.print(Padding(Text(f"{number}. {action}", style="dim"), (0, 0, 0, 1)))
    console.print()
    rows = _rows()
    colour = _COLOURS.get(deployment.status, "yellow")
    rows.add_row("outcome", Text(deployment.sentence, style=colour))
    for route in deployment.smoke.routes if deployment.smoke else ():
        took = f", median {route.median_ms:.1f} ms" if route.median_ms is not None else ""
        count = len(route.faults)
        result = f"{count} {'fault' if count == 1 else 'faults'}" if count else "all agree"
        rows.add_row("smoke test", f"{route.path}: {route.rows} golden rows, {result}{took}")
    console.print(rows)


def _print_training(
    report: TrainingReport, console: Console, validated: ValidatorReport | None
) -> None:
    console.print(_data_rows(report, validated))
    console.print()
    console.print(_candidates(report, wide=console.width >= _WIDE))
    plan = report.protocol.plan
    kind = "protocol" if report.profile_warning is None else "less than the protocol"
    console.print(
        f"  {plan.folds}-fold x {plan.repeats} cross-validation, all rows ({kind}). "
        f"Gain: paired with {report.protocol.baseline}, corrected for overlap.",
        style="dim",
        highlight=False,
    )
    if report.nested is not None:
        ranked = ", ".join(
            f"{each.name} {each.metrics.roc_auc:.4f}" for each in report.nested.ranking
        )
        console.print(
            Padding(Text(f"First repeat alone, tuned inside its folds: {ranked}."), (0, 0, 0, 2)),
            style="dim",
        )
    console.print()
    console.print(_verdict_rows(report))


def _data_rows(report: TrainingReport, validated: ValidatorReport | None) -> Table:
    data, quality = report.data, report.quality
    rows = _rows()
    rows.add_row(
        "data",
        f"{data.rows:,} customers of {data.title}, {data.churn_rate:.1%} left "
        f"({data.location}, sha256 {data.sha256[:12]})",
    )
    held = f"{quality.passed} of {quality.total} checks hold"
    rows.add_row("quality", _verdict(quality.verdict, held))
    if quality.synthetic:
        warning = (
            "The customers are synthetic: the model is for demonstrations, not for production."
        )
        rows.add_row("caution", Text(warning, style="yellow"))
    if validated is not None:
        rows.add_row("validator", _verdict(validated.verdict_word, validated.sentence))
    rows.add_row(
        "rows",
        f"{data.development_rows:,} to choose and fit, {data.gate_rows:,} set aside to judge "
        f"{data.split_basis}".rstrip(),
    )
    return rows


def _verdict_rows(report: TrainingReport) -> Table:
    rows = _rows()
    rows.add_row("chosen", report.selection.chosen)
    if report.figure.optimistic:
        rows.add_row("caution", Text(report.figure.sentence, style="yellow"))
    gate = report.gate_rows
    rows.add_row(
        "gate rows",
        f"ROC-AUC {gate.metrics.roc_auc:.4f} ({gate.intervals['roc_auc'].span()}), "
        f"calibration error {gate.metrics.ece:.3f}, lift {gate.metrics.lift_at_10:.2f}",
    )
    rows.add_row("verdict", _sentence(report.decision))
    if report.profile_warning is not None:
        rows.add_row("profile", Text(report.profile_warning, style="yellow"))
    return rows


def _verdict(verdict: str, words: str) -> Text:
    return Text.assemble((verdict, _COLOURS.get(verdict, "red")), f": {words}")


def _sentence(decision: Decision) -> Text:
    return Text(decision.sentence, style=_COLOURS.get(decision.verdict, "red"))


def _print_decision(decision: Decision, console: Console) -> None:
    for gate in decision.gates:
        colour = _COLOURS.get(gate.verdict, "yellow" if "evidence" in gate.verdict else "red")
        console.print(Text.assemble(f" {gate.name}: ", (gate.verdict, colour)))
        for sentence in (gate.sentence, *_details(gate)):
            console.print(Padding(Text(sentence, style="dim"), (0, 0, 0, 3)))
    console.print()
    rows = _rows()
    rows.add_row("verdict", _sentence(decision))
    console.print(rows)


def _details(gate: Gate) -> tuple[str, ...]:
    """What a gate says of each slice; of one that passed a count alone, as it names the worst itself."""
    if gate.verdict != "pass" or len(gate.details) <= 1:
        return gate.details
    few = sum(_TOO_FEW in each for each in gate.details)
    small = f", {few} too small to tell" if few else ""
    return (f"{len(gate.details)} slices in all{small}; the run's decision lists each.",)


def _candidates(report: TrainingReport, *, wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column("model", no_wrap=True)
    titles = ["ROC-AUC", "95% interval", "gain", "95% interval", "ECE"]
    for title in titles + (["lift", "PR-AUC", "log loss"] if wide else []):
        table.add_column(title, justify="right", no_wrap=True)
    for each in report.protocol.ranking:
        chosen = each.name == report.selection.chosen
        cells = _candidate(each)
        table.add_row(*cells if wide else cells[:-3], style="bold" if chosen else "")
    return table


def _candidate(each: CandidateResult) -> tuple[str, ...]:
    figures, interval, gained = each.metrics, each.roc_auc_interval, each.against_baseline
    return (
        each.name,
        f"{figures.roc_auc:.4f}",
        f"{interval.lower:.4f}-{interval.upper:.4f}" if interval else "not computed",
        f"{gained.difference:+.4f}" if gained else "baseline",
        f"{gained.interval.lower:+.4f}..{gained.interval.upper:+.4f}" if gained else "",
        f"{figures.ece:.3f}",
        f"{figures.lift_at_10:.2f}",
        f"{figures.pr_auc:.4f}",
        f"{figures.log_loss:.4f}",
    )


def _print_links(outcome: Outcome, console: Console) -> None:
    rows = _rows()
    if outcome.model_version is not None:
        name = outcome.training.model_name if outcome.training else "model"
        moved = outcome.promotion or outcome.deployment
        name = moved.model if moved else getattr(outcome.result, "model", name)
        stage = outcome.stage or "no stage"
        rows.add_row("registered", f"{name} version {outcome.model_version} ({stage})")
    if outcome.report is not None:
        rows.add_row("report", str(_relative(outcome.report)))
    if outcome.validator_page is not None:
        rows.add_row("validation", str(_relative(outcome.validator_page)))
    rows.add_row("dashboard", outcome.dashboard or "make dashboard")
    if outcome.tracking is not None:
        local = outcome.tracking.startswith("sqlite:")
        rows.add_row("mlflow", "make mlflow" if local else outcome.tracking)
    if outcome.run_name is not None:
        rows.add_row("run", f"{outcome.run_name} on {outcome.stack}, {outcome.seconds:.0f} s")
    console.print(rows)


def _rows() -> Table:
    table = Table(box=None, show_header=False, pad_edge=True, padding=(0, 1))
    table.add_column(style="dim", no_wrap=True, min_width=10)
    table.add_column(overflow="fold")
    return table


def _relative(path: Path) -> Path:
    """Returns the path relative to the working directory if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
