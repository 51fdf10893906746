"""Settings are strict, secrets stay secret, and the worker brings no web framework along."""

import os
import re
import subprocess
import sys

import pytest
from pydantic import SecretStr

from churn.errors import InputError
from churn.root import ROOT
from service.stream.__main__ import main
from service.stream.stream_metrics import StreamMetrics
from service.stream.stream_settings import StreamSettings, read_settings
from tests.servers.logged_process import environment


def test_without_any_setting_a_broker_on_this_machine_is_read():
    settings = read_settings({"PATH": "/bin"})

    assert settings.kafka_servers == ("127.0.0.1:9092",)
    assert (settings.input_topic, settings.output_topic) == ("churn-customers", "churn-scores")
    assert settings.redis.get_secret_value() == "none"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"CHURN_INPUT_TOPC": "a"}, "did you mean CHURN_INPUT_TOPIC?"),
        ({"CHURN_WORKERS": "2"}, "no setting of the stream worker"),
        ({"CHURN_KAFKA_SERVERS": "broker"}, "CHURN_KAFKA_SERVERS cannot be used"),
        ({"CHURN_KAFKA_SERVERS": ""}, "CHURN_KAFKA_SERVERS cannot be used"),
        ({"CHURN_OUTPUT_TOPIC": "churn-customers"}, "what is written must not be read"),
        ({"CHURN_DEAD_LETTER_TOPIC": "churn-scores"}, "the three topics must be three"),
        ({"CHURN_KAFKA_SECURITY": "SASL_SSL"}, "SASL needs a kafka_user"),
        (
            {"CHURN_KAFKA_CA_FILE": __file__},
            "FILE cannot be used: the file holds no certificates in PEM",
        ),
        ({"CHURN_TRANSPORT": "redis"}, "needs a stream_redis such as redis://host:6379/0"),
        ({"CHURN_TRANSPORT": "rabbit"}, "CHURN_TRANSPORT cannot be used"),
        ({"CHURN_CANARY_PERCENT": "5"}, "needs a canary_version"),
        ({"CHURN_BATCH_MESSAGES": "0"}, "CHURN_BATCH_MESSAGES cannot be used"),
        ({"CHURN_MAX_MESSAGE_BYTES": "5000000"}, "CHURN_MAX_MESSAGE_BYTES cannot be used"),
        ({"CHURN_SESSION_SECONDS": "nan"}, "CHURN_SESSION_SECONDS cannot be used"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(variables, sentence):
    with pytest.raises(InputError, match=r"[.?]$") as error:
        read_settings(variables)

    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_passwords_are_not_shown():
    settings = read_settings(
        {
            "CHURN_KAFKA_SECURITY": "SASL_SSL",
            "CHURN_KAFKA_USER": "worker",
            "CHURN_KAFKA_PASSWORD": "whisper-1",
            "CHURN_REDIS": "redis://:whisper-2@redis:6379/0",
            "CHURN_LEDGER": "postgresql://churn:whisper-3@db/churn",
        }
    )

    assert "whisper" not in repr(settings)
    assert settings.kafka_password.get_secret_value() == "whisper-1"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"grup": "a"}, "CHURN_GRUP"),
        ({"store": "/nowhere"}, "Nothing is in production in /nowhere."),
        ({"redis": "http://whisper@redis", "store": "STORE"}, "CHURN_REDIS is not an address"),
        ({"ledger": "nonsense-whisper", "store": "STORE"}, "not a database address"),
    ],
)
def test_a_start_that_cannot_go_well_ends_with_2_and_says_why(
    published_store, monkeypatch, capsys, settings, sentence
):
    settings = {
        name: str(value).replace("STORE", str(published_store)) for name, value in settings.items()
    }
    for name in [name for name in os.environ if name.startswith("CHURN_")]:
        monkeypatch.delenv(name)
    for name, value in environment(**settings).items():
        monkeypatch.setenv(name, value)

    code = main([])

    stderr = capsys.readouterr().err
    assert code == 2
    assert sentence in stderr
    assert len(stderr.strip().splitlines()) == 1
    assert "whisper" not in stderr


def test_neither_a_web_framework_nor_pandas_nor_zenml_is_loaded(root):
    program = (
        "import sys, service.stream.__main__, service.stream.worker, service.stream.probes\n"
        "print({'fastapi', 'starlette', 'uvicorn', 'pandas', 'zenml', 'mlflow'} & set(sys.modules))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.strip() == "set()"


def test_the_page_lists_every_setting_with_its_default(root):
    page = (root / "docs" / "streaming-worker.md").read_text()
    rows = dict(re.findall(r"^\| (`CHURN_.*?) \| (.*?) \|", page, re.MULTILINE))
    listed = {name for names in rows for name in re.findall(r"CHURN_\w+", names)}

    assert listed == {f"CHURN_{field.upper()}" for field in StreamSettings.model_fields}
    for names, written in rows.items():
        default, found = written, re.findall(r"CHURN_(\w+)", names)
        fields = [StreamSettings.model_fields[name.lower()] for name in found]
        home = {"home": "CHURN_HOME"}
        values = [
            each.get_default(call_default_factory=True, validated_data=home) for each in fields
        ]
        shown = [value.get_secret_value() if isinstance(value, SecretStr) else
                 ",".join(value) if isinstance(value, tuple) else value for value in values]  # fmt: skip
        if (
            "CHURN_STORE" in names
        ):  # nothing is in production in this folder, so it is that which will be
            assert shown.pop(0) == str(ROOT / "CHURN_HOME" / "production")
            default = default.removeprefix("that of the only model in production in `CHURN_HOME`, ")
        if default not in ("none", "the system's"):
            assert [part.strip(" `") for part in default.split("`, `")] == [
                "none" if value is None else str(value).replace(f"{ROOT}/", "") for value in shown
            ], names
        else:
            assert set(shown) <= {None, 0.0}, names


def test_the_page_names_metrics_that_the_worker_shows(root, tmp_path):
    page = (root / "docs" / "streaming-worker.md").read_text()
    named = set(re.findall(r"`(churn_stream_\w+)", page))

    metrics = StreamMetrics(tmp_path)
    metrics.waiting.set(0)  # absent until it is known

    shown = metrics.render().decode()

    assert len(named) >= 8
    assert {
        name for name in named if not re.search(rf"^{name}(_bucket)?[ {{]", shown, re.MULTILINE)
    } == set()
