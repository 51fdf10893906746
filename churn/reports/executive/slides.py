"""What the slides say: findings in words, each figure taken from the run's artifacts by its path."""

from __future__ import annotations

from churn.reports.executive.evidence import Evidence
from churn.reports.executive.experiment_slides import experiment_slide, treated_slide
from churn.reports.executive.kpi_tree import kpi_rows
from churn.reports.executive.offer_words import assumption_words, margin_sentence, offer_assumptions
from churn.reports.executive.slide import ASSUMED, Chart, Slide, Table, bars, columns, is_assumed
from churn.retention.cohorts import band_words

_MOST_ROWS = 8


def slides(seen: Evidence) -> tuple[Slide, ...]:
    """The slides, in order; every figure is remembered in `seen.stated`."""
    made = (
        _summary(seen), _bands(seen), _cohorts(seen), _offers(seen), _return(seen),
        _sensitivity(seen), _limits(seen), experiment_slide(seen), treated_slide(seen), _kpis(seen),
        _assumptions(seen),
    )  # fmt: skip
    return (_cover(seen), *made)


def _cover(seen: Evidence) -> Slide:
    return Slide(
        title=f"{seen.contract.title}: retention campaign of {seen.roi.run.day}",
        lines=(
            (
                f"{seen.count('retention.called')} customers to contact, "
                f"{seen.money('roi.figures.profit.value')} expected profit"
            ),
            (
                f"Model {seen.roi.run.model}, version {seen.roi.run.version}; playbook "
                f"'{seen.roi.run.playbook}'"
            ),
        ),
        notes=(
            f"{seen.business.description or 'Who is about to leave, and what it is worth to act.'} "
            f"Every figure of these slides is read from the run of {seen.roi.run.day}. The playbook's "
            f"digest begins with {seen.roi.run.playbook_digest[:12]}; seed {seen.roi.run.seed}, "
            f"{seen.roi.run.draws:,} draws."
        ),
    )


def _summary(seen: Evidence) -> Slide:
    even = (
        f"It pays if offers keep at least {seen.share('roi.break_even')} of what is assumed."
        if seen.roi.break_even is not None
        else "No effect of the offers is assumed, so it cannot pay."
    )
    return Slide(
        title=(
            f"Contact {seen.count('retention.called')} of {seen.count('retention.customers')} "
            f"customers: {seen.money('roi.figures.profit.value')} expected"
        ),
        lines=(
            f"95% of what the assumptions allow: {seen.money_range('roi.figures.profit')}.",
            (
                f"It costs {seen.money('roi.figures.cost.value')} and keeps "
                f"{seen.money('roi.figures.saved.value')} of margin."
            ),
            even,
            f"If the offers keep nobody, it loses {seen.money('roi.figures.cost.value')}.",
            (
                f"{_measured(seen)} The experiment replaces assumptions by "
                f"{seen.value('experiment.ends')}."
            ),
        ),
        notes=(
            "Decision to take: run this campaign with its holdout. The chance of a loss under the "
            f"assumptions is {seen.share('roi.loss_chance')}."
        ),
        label=ASSUMED if is_assumed(seen) else "",
    )


def _bands(seen: Evidence) -> Slide:
    bands = seen.retention.bands
    ordered = _ordered(bands)
    highest = ordered[-1]
    return Slide(
        title=f"{seen.count(f'retention.bands.{highest}')} customers have a {band_words(highest)} risk",
        lines=(
            f"{seen.count('retention.customers')} customers were scored.",
            f"{seen.count('retention.set_aside')} rows were set aside as not valid.",
        ),
        notes="The bands are those of the model in production; its model card has their bounds.",
        chart=columns(
            seen, "Customers", "#,##0",
            {band_words(band): f"retention.bands.{band}" for band in ordered},
            "Columns: customers in each risk band.",
        ),
    )  # fmt: skip


def _cohorts(seen: Evidence) -> Slide:
    found = seen.retention.cohorts.cohorts[:_MOST_ROWS]
    first = "retention.cohorts.cohorts.0"
    return Slide(
        title=f"Where most value is at risk: {found[0].words}",
        lines=(
            (f"{seen.count(f'{first}.customers')} customers, "
            f"{seen.money(f'{first}.at_risk.expected')} at risk; 95% range "
            f"{seen.money_range(f'{first}.at_risk')}."),
            "A cohort is a risk band, a third of the values and the main reason.",
        ),
        notes=(
            "At risk is the margin expected to go with those who leave. In do-not-disturb no offer is "
            "expected to earn what it costs. The call list has every customer."
        ),
        chart=bars(
            seen, f"Margin at risk, {seen.roi.money}", "#,##0",
            {
                each.words: f"retention.cohorts.cohorts.{place}.at_risk.expected"
                for place, each in enumerate(found)
            },
            f"Bars: margin at risk in the {len(found)} cohorts that have most of it.",
        ),
        label=ASSUMED,
    )  # fmt: skip


def _offers(seen: Evidence) -> Slide:
    best = max(range(len(seen.roi.offers)), key=lambda place: seen.roi.offers[place].profit)
    rows = tuple(
        (
            each.title,
            each.owner,
            seen.count(f"roi.offers.{place}.customers"),
            seen.state(f"roi.offers.{place}.cost", ",.0f"),
            seen.state(f"roi.offers.{place}.profit", ",.0f"),
            seen.share(f"roi.offers.{place}.break_even"),
        )
        for place, each in enumerate(seen.roi.offers)
    )
    header = ("Offer", "Owner", "Customers", f"Cost, {seen.roi.money}",
              f"Profit, {seen.roi.money}", "Pays from an effect of")  # fmt: skip
    return Slide(
        title=(
            f"What earns most: {seen.roi.offers[best].title}, "
            f"{seen.money(f'roi.offers.{best}.profit')}"
        ),
        lines=("Each customer gets the offer that is expected to earn most within the limits.",),
        notes="The effect is the share of those who take an offer and stay because of it.",
        table=Table((header, *rows), "Table: customers, cost and profit of each offer."),
        label=ASSUMED if is_assumed(seen) else "",
    )


def _return(seen: Evidence) -> Slide:
    return Slide(
        title=(
            f"The profit is expected to be {seen.state('roi.figures.roi.value', '.1f')} times the cost"
        ),
        lines=(
            (f"95% of what the assumptions allow: {seen.state('roi.figures.roi.lower', '.1f')} to "
            f"{seen.state('roi.figures.roi.upper', '.1f')}."),
            f"Chance of a loss: {seen.share('roi.loss_chance')}.",
            f"No effect at all: {seen.money('roi.no_effect')}.",
        ),
        notes=(
            "Cautious and hopeful take every acceptance, effect and free-rider share at the worse or "
            "better tenth of what is assumed, all at the same time; margins and costs as expected."
        ),
        chart=columns(
            seen, f"Expected profit, {seen.roi.money}", "#,##0",
            {
                "no effect": "roi.no_effect",
                **{s.name: f"roi.scenarios.{at}.profit" for at, s in enumerate(seen.roi.scenarios)},
            },
            "Columns: expected profit without effect and in the cautious, expected and hopeful scenario.",
        ),
        label=ASSUMED if is_assumed(seen) else "",
    )  # fmt: skip


def _sensitivity(seen: Evidence) -> Slide:
    bars = seen.roi.tornado[:_MOST_ROWS]
    names = tuple(assumption_words(seen.roi, bar.assumption) for bar in bars)
    ends = [
        tuple(float(seen.value(f"roi.tornado.{at}.{end}")) for at in range(len(bars)))
        for end in ("at_lower", "at_upper")
    ]
    return Slide(
        title=f"What moves the result most: {names[0]}",
        lines=(
            (f"At its ends the profit is {seen.money('roi.tornado.0.at_lower')} and "
            f"{seen.money('roi.tornado.0.at_upper')}."),
            "Measure this first.",
        ),
        notes="One assumption at a time goes to the ends of its 95% range; the others stay expected.",
        chart=Chart(
            kind="bars", title=f"Expected profit, {seen.roi.money}", categories=names,
            series={"at the lower end": ends[0], "at the upper end": ends[1]}, form="#,##0",
            alt=f"Bars: expected profit at both ends of the {len(bars)} assumptions that move it most.",
        ),
        label=ASSUMED if is_assumed(seen) else "",
    )  # fmt: skip


def _limits(seen: Evidence) -> Slide:
    limits = seen.retention.allocation.limits
    tight = sorted(range(len(limits)), key=lambda at: -limits[at].price)[:_MOST_ROWS]
    rows = tuple(
        (
            limits[at].name,
            *(
                seen.state(f"retention.allocation.limits.{at}.{k}", ",.0f")
                for k in ("used", "bound")
            ),
            seen.state(f"retention.allocation.limits.{at}.price", ",.2f"),
        )
        for at in tight
    )
    binding = sum(limit.price > 0 for limit in limits)
    title = (
        f"The limit that holds back most: {limits[tight[0]].name}"
        if binding
        else "No limit holds the campaign back"
    )
    header = ("Limit", "Used", "Allowed", f"One more is worth, {seen.roi.money}")
    return Slide(
        title=title,
        lines=(
            (
                f"Solved by {seen.retention.allocation.method}; at most "
                f"{seen.state('retention.allocation.gap', '.3%')} below the best possible."
            ),
        ),
        notes="The worth of one more unit holds for small changes of a limit.",
        table=Table((header, *rows), "Table: use of each limit and what one more unit is worth."),
    )


def _kpis(seen: Evidence) -> Slide:
    rows = kpi_rows(seen)
    return Slide(
        title="What to watch, and who answers for it",
        lines=(),
        notes="Read it as a tree: an indented figure is a part of the one above it.",
        table=Table((("KPI", "Now", "Definition", "Owner"), *rows), "Table: KPI tree with owners."),
    )


def _assumptions(seen: Evidence) -> Slide:
    return Slide(
        title="Appendix: what the figures rest on",
        lines=(margin_sentence(seen), *seen.retention.assumptions[:2]),
        notes=" ".join(seen.retention.assumptions),
        table=Table(
            (
                ("Offer", f"Contact, {seen.roi.money}", f"If taken, {seen.roi.money}", "Leavers who take it", "of those, stay", "Stayers who take it", "Source"),
                *offer_assumptions(seen),
            ),
            "Table: the assumptions of each offer, with 95% ranges and their source.",
        ),
        label=ASSUMED if is_assumed(seen) else "",
    )  # fmt: skip


def _measured(seen: Evidence) -> str:
    known = sum(each.measured for each in seen.roi.assumptions)
    return "Nothing of this is measured yet." if not known else "Part of this is measured."


def _ordered(bands: dict[str, int]) -> list[str]:
    from churn.scoring.risk_bands import NAMES

    return [
        *(name for name in NAMES if name in bands),
        *(name for name in bands if name not in NAMES),
    ]
