"""Who gets which arm: decided by a hash, so that it can be checked and repeated.

Within each stratum the customers are put in the order of their hashes and cut at the arms' shares,
so that strata are balanced. Where the cuts fall is hashed from the stratum's name and its first
customer, which makes each customer's chance of an arm exactly that arm's share, in small strata and
for a few newcomers, too. Neither the order of the rows nor the machine changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import isclose

import numpy as np
import numpy.typing as npt

from churn.errors import InputError

HOLDOUT, TREATED = "holdout", "treated"


def hashed_share(customers: Sequence[str], salt: str) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each of n customers, float64[n]; another salt gives unrelated ones."""
    key = blake2b(salt.encode(), digest_size=32).digest()
    digests = b"".join(
        blake2b(each.encode(), digest_size=8, key=key).digest() for each in customers
    )
    return (np.frombuffer(digests, dtype=">u8") >> np.uint64(11)) / 2.0**53


def assign_arms(
    customers: Sequence[str],
    strata: Sequence[str],
    shares: Mapping[str, float],
    *,
    salt: str,
    earlier: Mapping[str, str] | None = None,
) -> npt.NDArray[np.str_]:
    """The arm of each of n customers, str[n].

    Args:
        customers: their ids, each once.
        strata: of each, such as its risk band and value.
        shares: of the arms; they add up to 1.
        salt: another one assigns anew.
        earlier: arms that some customers have already; they keep them, and only the others are drawn.

    Raises:
        InputError: an id stands there twice, shares are not positive or do not add up to 1, or an
            earlier arm is none of these.
    """
    _check_shares(shares)
    _check_customers(customers, strata)
    kept = earlier or {}
    foreign = next((arm for arm in kept.values() if arm not in shares), None)
    if foreign is not None:
        raise InputError(
            f"An earlier assignment names the arm {foreign!r}, but the arms are "
            f"{', '.join(shares)}. Start another experiment under another name."
        )
    arms = np.array([kept.get(each, "") for each in customers], dtype=object)
    order = hashed_share(customers, salt)
    names = np.asarray(strata, dtype=object)
    cuts = np.cumsum(list(shares.values()))[:-1]
    for stratum in sorted(set(strata)):
        rows = np.flatnonzero((names == stratum) & (arms == ""))
        if len(rows) == 0:
            continue
        ranked = rows[np.argsort(order[rows], kind="stable")]
        # By the stratum alone, the single newcomer of each campaign would always get the same arm.
        (offset,) = hashed_share([f"{stratum}/{customers[ranked[0]]}"], f"{salt}/strata")
        place = (np.arange(len(ranked)) + offset) / len(ranked)
        arms[ranked] = np.array(list(shares), dtype=object)[np.searchsorted(cuts, place, "right")]
    return arms.astype(np.str_)


def _check_shares(shares: Mapping[str, float]) -> None:
    if not shares or not all(0 < share < 1 for share in shares.values()):
        raise InputError(
            f"The arms' shares are {_listed(shares)}; name two arms or more, each with a share "
            "above 0 and below 1."
        )
    if not isclose(sum(shares.values()), 1.0, abs_tol=1e-9):
        raise InputError(
            f"The arms' shares are {_listed(shares)}, which add up to {sum(shares.values()):g}; "
            "they must add up to 1."
        )


def _check_customers(customers: Sequence[str], strata: Sequence[str]) -> None:
    if len(customers) != len(strata):
        raise InputError(f"{len(customers)} customers do not match {len(strata)} strata.")
    if len(set(customers)) != len(customers):
        first = {each: row for row, each in reversed(list(enumerate(customers, 1)))}
        row = next(row for row, each in enumerate(customers, 1) if first[each] != row)
        raise InputError(
            f"Row {row} has the id of row {first[customers[row - 1]]}, so that the customer could be in "
            "two arms; keep one row a customer."
        )


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:g}" for name, share in shares.items()) or "none"
