"""Writes the updates of a file to an online store, some at a time, and prints how many are kept."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from churn.contract import load_contract
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import CustomerUpdate


def main(contract: str, address: str, updates: str, seed: str) -> None:
    """Takes the updates in an order of its own, and as they are for the seed 0."""
    rows = json.loads(Path(updates).read_text(encoding="utf-8"))
    if seed != "0":
        Random(int(seed)).shuffle(rows)
    with open_online_store(load_contract(Path(contract)), address) as store:
        for start in range(0, len(rows), 50):
            store.write(
                CustomerUpdate(customer, datetime.fromtimestamp(at, UTC), fields)
                for customer, at, fields in rows[start : start + 50]
            )
            sys.stdout.write(f"{start + len(rows[start : start + 50])}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
