"""Query parameters are refused like fields: by name, if one is unknown or stands twice."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from churn.contract.refusals import quote_value
from churn.errors import did_you_mean
from service.api.problems import ProblemError


def require_known(query: bytes, known: Sequence[str]) -> None:
    """Checks the names of a request's parameters.

    Raises:
        ProblemError: 422, one is unknown or stands twice.
    """
    seen: set[str] = set()
    for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in known:
            raise _refused(name, f"is not known here{_way_out(name, known)}", known)
        if name in seen:
            raise _refused(name, "stands twice in the address. Send it once.", known)
        seen.add(name)


def _way_out(name: str, known: Sequence[str]) -> str:
    if not known:
        return "; this path takes none."
    near = did_you_mean(name[:40].lower(), known)
    return f"; did you mean '{near}'?" if near else f"; it takes {', '.join(known)}."


def _refused(name: str, what: str, known: Sequence[str]) -> ProblemError:
    return ProblemError(
        422, f"Parameter {quote_value(name)} {what}", field=name[:40],
        allowed=", ".join(known) or "no parameter",
    )  # fmt: skip
