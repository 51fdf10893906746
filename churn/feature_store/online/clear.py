"""`python -m churn.feature_store.online.clear`: removes a contract's customers from an online store."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from churn.command import print_result
from churn.contract import load_contract
from churn.feature_store.online.address import open_online_store

VARIABLE = "CHURN_ONLINE_STORE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Removes the customers, and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m churn.feature_store.online.clear",
        description="Removes all customers of a contract, so that another version of it may begin.",
    )
    parser.add_argument("contract", type=Path, help="the contract's file")
    parser.add_argument(
        "--store", help=f"address of the store ({VARIABLE}, or the file in CHURN_HOME)"
    )
    options = parser.parse_args(arguments)
    return print_result(lambda: _clear(options.contract, options.store))


def _clear(file: Path, address: str | None) -> str:
    contract = load_contract(file)
    with open_online_store(contract, address or os.environ.get(VARIABLE)) as store:
        store.clear()
    return f"Removed the customers of contract {contract.name} from {store.place}."


if __name__ == "__main__":
    sys.exit(main())
