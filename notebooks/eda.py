# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
import os
import sys
from pathlib import Path

ROOT = next(f for f in (Path.cwd(), *Path.cwd().parents) if (f / "churn" / "contract").is_dir())
sys.path.insert(0, str(ROOT))

from functools import partial

from IPython.display import HTML, Markdown, display

from churn.contract import CategoryColumn, FlagColumn, NumberColumn, Role, load_contract
from churn.data import BUNDLED, acquire
from churn.evaluation.disparities import wilson_interval
from churn.exploration.breakdown import break_down, rank_columns
from churn.exploration.data_findings import find_data_findings
from churn.exploration.interactions import find_interactions
from churn.exploration.survival import survival_by, survival_curve
from churn.exploration.uses import column_uses, meaning
from churn.features.encoding import encode, encode_target
from churn.features.feature_set import feature_set
from churn.home import home
from churn.reports.charts.exploration_charts import (
    breakdown_chart,
    interaction_chart,
    ranking_chart,
    survival_chart,
    trend_chart,
)
from churn.reports.notebook_output import chart_html, folded, markdown_table, plain_markdown

# %%
contract = load_contract(ROOT / os.environ.get("CHURN_EDA_CONTRACT", "data/contracts/telco.yaml"))
dataset = acquire(
    os.environ.get("CHURN_EDA_SOURCE", BUNDLED),
    contract,
    root=ROOT,
    sha256=os.environ.get("CHURN_EDA_SHA256"),
    cache=home() / "downloads",
)
columns, target = encode(dataset.frame, contract), encode_target(dataset.frame, contract)
overall = float(target.mean())
ranked = rank_columns(columns, target, contract)
by_column = {each.column: each for each in ranked}
uses = {use.column: use for use in column_uses(contract)}


def show_chart(draw):
    display(HTML(chart_html(draw)))


def write(*sentences):
    display(Markdown(" ".join(plain_markdown(sentence) for sentence in sentences)))


def show_groups(found):
    rows = [
        [found.named(g), f"{g.rows:,}", f"{g.left:,}", g.ratio.text(".1%")] for g in found.groups
    ]
    table = markdown_table([found.column, "customers", "left", "churn ratio (95% interval)"], rows)
    display(Markdown(folded(f"{found.column} in figures", table)))


# %%
interval = wilson_interval(int(target.sum()), len(target))
write(
    f"{contract.title}: {len(target):,} customers, {int(target.sum()):,} of which left, a churn ratio of "
    f"{overall:.1%} (95% interval {interval.span('.1%')}). {len(contract.features)} columns describe a "
    f"customer. {contract.target.name} means: {contract.target.meaning}.",
)

# %% [markdown]
# ## Data quality
#
# What is odd about the table, and what that means for features.

# %%
display(
    Markdown(
        markdown_table(
            ["found", "what it means"],
            [[each.found, each.meaning] for each in find_data_findings(dataset.frame, contract)],
        )
    )
)

# %% [markdown]
# ## Which columns say most
#
# Every column alone, by the share of the outcome's uncertainty that its groups explain (Theil's U). Numbers are cut into
# bands of about as many customers. A group of fewer than 30 customers carries no statement.

# %%
show_chart(partial(ranking_chart, ranked, overall))
rows = [
    [
        each.column,
        f"{each.explained:.1%}",
        f"{each.lowest.ratio.value:.1%} at {each.named(each.lowest)}",
        f"{each.highest.ratio.value:.1%} at {each.named(each.highest)}",
        "yes" if each.differs else "no",
    ]
    for each in ranked
]
display(
    Markdown(
        folded(
            "All columns in figures",
            markdown_table(["column", "explains", "lowest", "highest", "clear difference"], rows),
        )
    )
)

# %% [markdown]
# ## Categories
#
# The six strongest category columns. Whoever has something differs from whoever does not in other ways, too: these are
# associations. What an offer would change, only an experiment can show.

# %%
coded = [e for e in ranked if isinstance(contract.column(e.column), CategoryColumn | FlagColumn)]
if not coded:
    write(f"Left out: contract '{contract.name}' has no category columns.")
for each in coded[:6]:
    show_chart(partial(breakdown_chart, each, overall))
    write(meaning(each, uses[each.column]))
    show_groups(each)

# %% [markdown]
# ## Tenure and charges
#
# Trends over the numbers that say how long a customer has been one, and what is billed. Where the contract gives no column
# such a role, all its numbers are shown.

# %%
trends = [
    c
    for role in (Role.TENURE, Role.MONTHLY_CHARGE, Role.TOTAL_CHARGE)
    for c in contract.with_role(role)
    if isinstance(c, NumberColumn)
]
if not trends:
    write(f"Contract '{contract.name}' gives no number the role tenure or of a charge.")
    trends = [c for c in contract.numbers if c.name in {each.column for each in ranked[:6]}]
for column in trends:
    found = break_down(columns, target, column, bands=10)
    show_chart(partial(trend_chart, found, overall))
    write(meaning(by_column[column.name], uses[column.name]))
    show_groups(found)

# %% [markdown]
# ## How long customers stay
#
# Kaplan-Meier curves. A table of one moment knows how long those who are still there have been there *so far*: their tenure is
# censored. Three cautions. Customers who left before the table begins are missing, so the curve flatters the early months
# (length bias). It mixes customers who joined in different years, as if nothing had changed between. And a customer who takes
# a longer contract has stayed until then: a curve by contract credits the months before to the contract (immortal time), so the
# distance between two curves is no effect of the contract.

# %%
tenure = contract.only_number(Role.TENURE)
terms = [c for c in contract.with_role(Role.CONTRACT_TERM) if not isinstance(c, NumberColumn)]
if tenure is None:
    write(
        f"Left out: contract '{contract.name}' needs exactly one number with the role tenure to say "
        "how long a customer has been one."
    )
else:
    curve = survival_curve(columns[tenure.name], target)
    show_chart(partial(survival_chart, [curve], tenure.unit))
    median = (
        "more than half had not left"
        if curve.median is None
        else (f"half had left by {curve.median:,.6g} {tenure.unit}")
    )
    write(
        f"Within the tenures of this table {median}.",
        meaning(by_column[tenure.name], uses[tenure.name]),
    )
    marks = [float(t) for t in curve.times[:: max(1, len(curve.times) // 12)]]
    at = [[f"{t:,.6g}", f"{curve.at(t):.1%}"] for t in marks]
    display(
        Markdown(folded("Still there by tenure", markdown_table([tenure.unit, "still there"], at)))
    )
    if len(terms) != 1:
        write(
            f"Curves by contract term are left out: contract '{contract.name}' gives "
            f"{len(terms)} category columns the role contract_term."
        )
    for term in terms[:1]:
        curves = survival_by(columns, target, tenure, term)
        if curves:
            show_chart(partial(survival_chart, curves, tenure.unit, by=term.name))

# %% [markdown]
# ## Interactions
#
# Pairs among the eight strongest columns whose log-odds do not add up: a likelihood-ratio test of each pair, all of them together at
# 5% (Holm). A pair that interacts is a feature that a linear model lacks and trees find by themselves.

# %%
pairs = find_interactions(columns, target, contract, [each.column for each in ranked[:8]])
significant = [pair for pair in pairs if pair.significant]
write(f"{len(significant)} of {len(pairs)} pairs interact beyond chance.")
for pair in significant[:3]:
    show_chart(partial(interaction_chart, pair))
rows = [
    [
        f"{p.first} × {p.second}",
        f"{p.statistic:.1f}",
        f"{p.p_value:.2g}",
        "yes" if p.significant else "no",
    ]
    for p in pairs[:10]
]
if pairs:
    table = markdown_table(["pair", "G²", "p-value alone", "interacts"], rows)
    display(Markdown(folded("The strongest pairs in figures", table)))

# %% [markdown]
# ## What it means for features and actions

# %%
features = feature_set(contract)
rows = [
    [
        each.column,
        f"{each.explained:.1%}",
        ", ".join(uses[each.column].features) or "none",
        "; ".join(uses[each.column].offers)
        or ("can be changed" if uses[each.column].actionable else "none"),
    ]
    for each in ranked
]
display(Markdown(markdown_table(["column", "explains", "features made from it", "action"], rows)))
changeable = [each for each in ranked if uses[each.column].actionable and each.differs]
if changeable:
    best = changeable[0]
    write(
        f"The strongest column that the business can change is {best.column}. {best.finding}. Try an "
        "offer on it with a control group before believing the difference."
    )
else:
    write(
        f"Contract '{contract.name}' names no column that differs and that the business can change."
    )
for sentence in features.left_out:
    write(sentence)
