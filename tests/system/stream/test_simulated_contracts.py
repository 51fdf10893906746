"""The simulator on a contract whose snapshot takes longer to learn from."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from churn.contract import load_contract
from service.stream.simulated_customers import SimulatedCustomers
from service.stream.simulated_events import simulate_events
from service.stream.simulator_settings import SimulatorSettings

START = datetime(2026, 11, 30, 10, tzinfo=UTC)


def test_other_contracts_have_simulated_customers(root):
    contract = load_contract(root / "data" / "contracts" / "mlc_churn.yaml")
    settings = SimulatorSettings.read({"events": 200, "customers": 20, "partial": 0.5})
    customers = SimulatedCustomers(contract, settings.generator)
    events = list(simulate_events(customers, settings, START))
    assert Counter(each.kind for each in events)["partial"] > 50
