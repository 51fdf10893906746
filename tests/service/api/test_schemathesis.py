"""The whole API against its own OpenAPI document: thousands of cases, good and bad, no complaint."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import CustomerUpdate
from service.core.keys import new_key
from tests.servers.churn_api import serving
from tests.servers.logged_process import environment

# JSON Schema cannot say everything that makes a request valid: how many elements a tensor's shape
# promises, that a time lies in the past, which fields of a customer contradict each other.
UNCHECKED = "positive_data_acceptance"


@pytest.mark.parametrize(
    ("examples", "cases", "seconds"),
    [
        pytest.param(5, 300, 300, id="few"),
        pytest.param(130, 3_000, 900, id="many", marks=pytest.mark.system),
    ],
)
@pytest.mark.parametrize("keyed", [False, True], ids=["without-key", "with-key"])
def test_no_case_breaks_the_service_and_every_answer_matches_its_schema(
    store, tmp_path, contract, keyed, examples, cases, seconds
):
    key, digest = new_key()
    with open_online_store(contract, f"sqlite:///{tmp_path / 'online.db'}") as online:
        online.write([CustomerUpdate("0", datetime(2026, 3, 2, tzinfo=UTC), {"tenure": 1})])
    program = Path(sys.executable).with_name("schemathesis")
    # Coverage is measured in the service, not in who asks it.
    plain = {n: v for n, v in environment().items() if not n.startswith("COVERAGE_")}
    with serving(store, tmp_path, **({"api_keys": digest} if keyed else {})) as service:
        ran = subprocess.run(
            [
                program, "run", f"{service.url}/openapi.json", "--exclude-checks", UNCHECKED,
                "--max-examples", str(examples), "--mode", "all", "--seed", "17",
                "--generation-database", "none", "--suppress-health-check", "all", "--no-color",
                *(["--header", f"X-API-Key: {key}"] if keyed else []),
            ],
            cwd=tmp_path, env=plain, capture_output=True, text=True, timeout=seconds,
            check=False,
        )  # fmt: skip
        with service.client() as client:
            page = client.get("/metrics").text
        failures = service.logged("request_failed")

    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    generated = re.search(r"([\d,]+) generated", ran.stdout)
    assert generated, ran.stdout[-2000:]
    assert int(generated[1].replace(",", "")) >= cases
    assert failures == []
    assert not re.search(r'churn_requests_total\{[^}]*status="5\d\d"', page)
