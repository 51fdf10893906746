"""How much of the offer a customer uses: the more hooks, the harder to leave."""

from churn.contract import Role
from churn.features.formula import Formula


def _counter(name: str, role: Role, what: str) -> Formula:
    return Formula(
        name=name,
        group="services",
        meaning=f"How many {what} the customer has",
        unit="services",
        needs={role: "count"},
        compute=lambda of: of.count(role),
    )


SERVICE_FORMULAS = (
    _counter("service_count", Role.SERVICE, "services in all"),
    _counter("protection_count", Role.PROTECTION, "protection and support options"),
    _counter("streaming_count", Role.STREAMING, "streaming services"),
)
