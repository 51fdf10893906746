"""The catalog of a contract's features: what each means, who answers for it, and its version."""

from __future__ import annotations

from churn.contract import DataContract, NumberColumn
from churn.features.feature_set import FeatureSet
from churn.features.feature_version import formula_version
from churn.frozen_model import FrozenModel

FIELD, FORMULA = "field", "formula"


class FeatureEntry(FrozenModel):
    """One feature.

    Attributes:
        name: of its column.
        kind: `field`, a column of the contract; or `formula`, an engineered column.
        description: what it says about a customer.
        unit: of a number; empty for a category.
        owner: who answers for it, as the contract says; empty where it does not.
        tags: a formula's group, or a field's roles.
        version: of a formula; a field has none of its own.
        reads: the columns that a formula reads.
    """

    name: str
    kind: str
    description: str
    unit: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    version: str = ""
    reads: tuple[str, ...] = ()


def feature_catalog(contract: DataContract, features: FeatureSet) -> tuple[FeatureEntry, ...]:
    """Every feature of a contract: its own columns in file order, then the engineered ones.

    Examples:
        >>> from pathlib import Path
        >>> from churn.contract import load_contract
        >>> from churn.features.feature_set import feature_set
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> catalog = feature_catalog(contract, feature_set(contract))
        >>> len(catalog), catalog[-1].name, catalog[-1].tags
        (28, 'streaming_count', ('services',))
    """
    owner = (contract.business.owners if contract.business else None) or ""
    fields = [
        FeatureEntry(
            name=column.name,
            kind=FIELD,
            description=column.meaning,
            unit=column.unit if isinstance(column, NumberColumn) else "",
            owner=owner,
            tags=tuple(column.roles),
        )
        for column in contract.features
    ]
    formulas = [
        FeatureEntry(
            name=bound.name,
            kind=FORMULA,
            description=bound.formula.meaning,
            unit=bound.formula.unit,
            owner=owner,
            tags=(bound.formula.group,),
            version=formula_version(bound),
            reads=bound.reads,
        )
        for bound in features.formulas
    ]
    return (*fields, *formulas)
