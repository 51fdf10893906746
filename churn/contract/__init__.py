"""The data contract: which columns a customer table has and what they mean.

One YAML file per business is the single source for the parser, the quality gate, the encoder,
the request model and the docs. Feature formulas ask for *roles*, never for column names, so a
business with other columns brings its own contract and no code.
"""

from churn.contract.columns import (
    UNCHANGEABLE,
    BlankRule,
    CategoryColumn,
    CodedColumn,
    Column,
    DateColumn,
    FlagColumn,
    IdColumn,
    NumberColumn,
    Role,
    TargetColumn,
)
from churn.contract.contract import (
    Business,
    DataContract,
    contract_content,
    load_contract,
    with_reading,
)
from churn.contract.expectations import Bounds, ChargeRule, ImplicationRule
from churn.contract.reading import Reading

__all__ = [
    "UNCHANGEABLE",
    "BlankRule",
    "Bounds",
    "Business",
    "CategoryColumn",
    "ChargeRule",
    "CodedColumn",
    "Column",
    "DataContract",
    "DateColumn",
    "FlagColumn",
    "IdColumn",
    "ImplicationRule",
    "NumberColumn",
    "Reading",
    "Role",
    "TargetColumn",
    "contract_content",
    "load_contract",
    "with_reading",
]
