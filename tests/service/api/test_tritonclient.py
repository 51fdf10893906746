"""Triton's own client gets scores, descriptions and the sentence of every error."""

import json
import subprocess
from pathlib import Path

import pytest

from service.core.keys import new_key
from tests.servers.churn_api import serving
from tests.service.seldon.running import environment

pytestmark = pytest.mark.system

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def answers(published_store, customers, tmp_path_factory):
    key, digest = new_key()
    folder = tmp_path_factory.mktemp("triton")
    python = environment(str(HERE / "tritonclient_requirements.txt")) / "bin" / "python"
    with serving(published_store, folder, api_keys=digest) as service:
        ran = subprocess.run(
            [python, HERE / "tritonclient_calls.py", f"127.0.0.1:{service.port}", key],
            input=json.dumps(customers[:50]), capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_it_finds_server_and_model(answers):
    assert answers["live"]
    assert answers["ready"]
    assert answers["model_ready"]
    assert not answers["other_ready"]
    assert answers["server"]["name"] == "churn"
    assert answers["model"] == answers["version"]
    assert answers["model"]["versions"] == ["1"]


@pytest.mark.parametrize("way", ["json", "binary", "mixed", "default", "versioned", "gzip"])
def test_it_gets_the_models_scores(answers, trained, telco_columns, way):
    expected = trained["1"].probability(telco_columns)[:50]

    scores = answers["scores"][way]

    assert scores["probability"] == expected.tolist()
    assert scores["decision"] == (expected >= 0.3).tolist()
    assert set(scores["risk_band"]) <= {"low", "medium", "high", "very_high"}
    assert scores["version"] == "1"


@pytest.mark.parametrize(
    ("call", "status", "sentence"),
    [
        ("no key", "401", "A key is needed."),
        ("server without key", "401", "A key is needed."),
        ("other version", "404", "Version '9' of the model churn is not served here; 1 is."),
        ("other model", "404", "There is no such path"),
        ("no such path", "404", "There is no such path"),
        ("no such method", "404", "There is no such path"),
        ("value", "422", "Row 1: Field 'Contract': 'Biennial' is not one of"),
        ("coding", "415", "Content-Encoding 'deflate' is not taken."),
        ("too large", "413", "larger than the"),
        ("parameter", "422", "verbose"),
    ],
)
def test_it_decodes_every_error(answers, call, status, sentence):
    given = answers["refused"][call]

    assert given[0] == status
    assert "an exception occurred" not in given[1]
    assert sentence in given[1]
