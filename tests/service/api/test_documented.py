"""docs/service.md lists every setting with its default, and every path."""

import json
import re

import msgspec
import pytest
from pydantic import SecretStr

from churn.root import ROOT
from service.api.response_schemas import Score
from service.api.service_settings import ServiceSettings
from service.core.score_answer import ScoreAnswer


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "service.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_table_with_its_default(page):
    rows = dict(re.findall(r"^\| ((?:`CHURN_[A-Z_]+`(?:, )?)+) \| ([^|]+) \|", page, re.MULTILINE))
    listed = {}
    for names, defaults in rows.items():
        settings = [name.strip("` ") for name in names.split(",")]
        listed |= dict(zip(settings, map(str.strip, defaults.split(",")), strict=False))

    for name, field in ServiceSettings.model_fields.items():
        default = listed.pop(f"CHURN_{name.upper()}").strip("`")
        value = field.get_default(call_default_factory=True, validated_data={"home": "CHURN_HOME"})
        value = value.get_secret_value() if isinstance(value, SecretStr) else value
        if name == "store":  # nothing is in production in this folder, so it is where that will be
            assert (default, str(value)) == (
                "that of the only model in production in `CHURN_HOME",
                str(ROOT / "CHURN_HOME" / "production"),
            )
            continue
        spelt = "none" if value in (None, ()) else str(value).replace(f"{ROOT}/", "")
        assert default == (spelt.lower() if isinstance(value, bool) else spelt), name
    assert listed == {}


def test_every_path_is_named(page, client):
    paths = client.get("/openapi.json").json()["paths"]

    for path in [*paths, "/openapi.json"]:
        assert path.removeprefix("/v2/models/churn") in page, path


def test_the_curl_line_is_answered(page, client):
    sent = re.search(
        r"/v1/score -H 'Content-Type: application/json' -d '(\{.*?\})'", page, re.DOTALL
    )
    answer = client.post("/v1/score", content=sent[1])
    documented = json.loads(re.search(r'^\{"prediction_id".*\}$', page, re.MULTILINE)[0])

    assert answer.status_code == 200
    assert list(answer.json()) == list(documented)


def test_the_score_that_is_answered_has_the_fields_of_its_schema():
    answered = {field.name: field.type for field in msgspec.structs.fields(ScoreAnswer)}

    assert list(answered) == list(Score.model_fields)
