"""A warning where customers are made up: a model that learns from them knows nothing of real ones."""

from __future__ import annotations

from churn.contract import DataContract
from churn.data.quality.quality_report import REAL_CUSTOMERS
from churn.data.quality.rule import ExpectationSpec, Rule
from churn.data.synthetic_ids import ID_PREFIX


def real_customers_rule(contract: DataContract) -> Rule:
    """No customer comes from the generator; checked where one does."""
    name = contract.id.name
    arguments = {"column": name, "regex": f"^{ID_PREFIX}"}
    return Rule(
        name=REAL_CUSTOMERS,
        topic="values",
        columns=(name,),
        expectations=(
            ExpectationSpec(
                "ExpectColumnValuesToNotMatchRegex", arguments, "warning", "no synthetic id"
            ),
        ),
        success=lambda _: "No customer is synthetic.",
        failure=lambda _: "synthetic customers, so what is learned from them holds for no real one",
        observed=lambda result: f"{result.count:,} synthetic",
        way_out="Take real customers, or name profile=demo: it is for demonstrations.",
    )
