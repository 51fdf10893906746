"""The whole API against its own OpenAPI document: thousands of cases, good and bad, no server error."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.churn_api import serving
from tests.servers.logged_process import environment

CASES = 3_000
EXAMPLES = 620  # of each operation that takes any input; the others have few cases
SECONDS = 240
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.mark.system
def test_no_case_breaks_the_service_and_every_answer_matches_its_schema(store, tmp_path):
    program = Path(sys.executable).with_name("schemathesis")
    # Coverage is measured in the service, not in who asks it.
    plain = {n: v for n, v in environment().items() if not n.startswith("COVERAGE_")}
    with serving(store, tmp_path) as service:
        ran = subprocess.run(
            [
                program, "run", f"{service.url}/openapi.json", "--checks", ",".join(CHECKS),
                "--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--mode", "all",
                "--seed", "17", "--generation-database", "none", "--suppress-health-check", "all",
                "--no-color",
            ],
            cwd=tmp_path, env=plain, capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
        with service.client() as client:
            page = client.get("/metrics").text
        failures = service.logged("request_failed")

    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    generated = re.search(r"([\d,]+) generated", ran.stdout)
    assert generated, ran.stdout[-2000:]
    assert int(generated[1].replace(",", "")) >= CASES
    assert failures == []
    assert not re.search(r'churn_requests_total\{[^}]*status="5\d\d"', page)
