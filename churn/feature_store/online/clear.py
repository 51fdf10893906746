"""`python -m churn.feature_store.online.clear`: removes a contract's customers from an online store."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from churn.contract import load_contract
from churn.errors import ChurnError
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
    try:
        contract = load_contract(options.contract)
        with open_online_store(contract, options.store or os.environ.get(VARIABLE)) as store:
            store.clear()
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"Removed the customers of contract {contract.name} from {store.place}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
