"""What a service keeps for monitoring: every scored customer, on every route, after the answer."""

from __future__ import annotations

import json

from churn.kept_inputs.pseudonym import pseudonym
from tests.servers.churn_api import serving

SECRET = "k" * 24


def test_scored_customers_are_kept_and_refused_ones_are_not(store, tmp_path, customers):
    with serving(
        store, tmp_path, keep_inputs="true", inputs=tmp_path / "inputs", inputs_key=SECRET
    ) as service:
        with service.client() as client:
            assert client.post("/v1/score", json=customers[0]).status_code == 200
            assert client.post("/v1/score/batch", json=customers[1:3]).status_code == 200
            refused = customers[3] | {"Contract": "Weekly"}
            assert client.post("/v1/score", json=refused).status_code == 422
        service.stop()

    (file,) = (tmp_path / "inputs").rglob("*.jsonl")
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    expected = [
        row | {"customerID": pseudonym(row["customerID"], SECRET.encode())} for row in customers[:3]
    ]
    assert kept == expected
    assert file.parent.parent.name == "churn"
    assert file.name.startswith("service-")
    assert SECRET not in file.read_text()
