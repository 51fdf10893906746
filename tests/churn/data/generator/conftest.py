"""Both shipped contracts, and customers generated from each."""

from __future__ import annotations

import pytest

from churn.contract import load_contract
from churn.data.generator import GeneratedCustomers, GeneratorSettings


@pytest.fixture(scope="session", params=["telco", "mlc_churn"])
def any_contract(request, root):
    return load_contract(root / "data" / "contracts" / f"{request.param}.yaml")


@pytest.fixture(scope="session")
def generated(any_contract):
    """20,000 customers over ten weeks, all at once."""
    settings = GeneratorSettings(rows=20_000, weeks=10, truth=True)
    return GeneratedCustomers(any_contract, settings).rows()
