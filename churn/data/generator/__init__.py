"""Synthetic customers that look like a contract's snapshot; always labelled as synthetic."""

from churn.data.generator.customers import (
    GeneratedCustomers,
    GeneratedRows,
    generate,
)
from churn.data.generator.generator_settings import GeneratorSettings

__all__ = [
    "GeneratedCustomers",
    "GeneratedRows",
    "GeneratorSettings",
    "generate",
]
