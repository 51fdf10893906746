"""Makes versions on the Model Control Plane, or writes down what it keeps of them.

Arguments: `promote`; or `ask FILE`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from zenml.client import Client
from zenml.enums import ModelStages

NAME = "telco-churn"


def promote() -> None:
    """Makes one version more and puts it into production, as a promotion leaves it."""
    client = Client()
    try:
        client.get_model(NAME)
    except KeyError:
        client.create_model(NAME)
    client.create_model_version(NAME).set_stage(ModelStages.PRODUCTION, force=True)


def ask(answer: Path) -> None:
    client = Client()
    found = {}
    for each in client.list_model_versions(size=100, hydrate=True):
        links = client.list_model_version_artifact_links(model_version_id=each.id, size=100)
        found[str(each.number)] = {
            "stage": each.stage,
            "metadata": dict(each.run_metadata),
            "artifacts": [link.artifact_version.name for link in links],
        }
    answer.write_text(json.dumps(found, default=str), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "promote":
        promote()
    else:
        ask(Path(sys.argv[2]))
