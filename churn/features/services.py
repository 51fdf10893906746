"""How much of the offer a customer uses: the more hooks, the harder to leave."""

from churn.contract import Role
from churn.features.encoding import Floats
from churn.features.formula import Formula, RoleValues


def _counter(name: str, role: Role, what: str) -> Formula:
    def count(of: RoleValues) -> Floats:
        return of.count(role)

    return Formula(
        name=name,
        group="services",
        meaning=f"How many {what} the customer has",
        unit="services",
        needs={role: "count"},
        compute=count,
    )


SERVICE_FORMULAS = (
    _counter("service_count", Role.SERVICE, "services in all"),
    _counter("protection_count", Role.PROTECTION, "protection and support options"),
    _counter("streaming_count", Role.STREAMING, "streaming services"),
)
