"""What images, Compose and Kubernetes tell the service are settings that it knows and takes."""

import re
from pathlib import Path

import pytest
import yaml

from churn.errors import InputError
from service.api.service_settings import read_settings
from service.stream.stream_settings import read_settings as read_stream_settings


@pytest.fixture(scope="module")
def image_environments(root):
    """What the ENV lines of each image set, by target."""
    text = (root / "Dockerfile").read_text()
    return {
        stage.split(" AS ")[1].split()[0]: dict(
            re.findall(r"^(?:ENV| +) *(CHURN_\w+)=(\S+)", stage, re.MULTILINE)
        )
        for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    }


@pytest.fixture(scope="module")
def image_environment(image_environments):
    return image_environments["api"]


def test_the_image_alone_refuses_to_serve_without_a_key(image_environment):
    with pytest.raises(InputError, match="without an API key"):
        read_settings(image_environment)


def test_compose_configures_the_service(root, image_environment):
    text = (root / "docker-compose.yml").read_text()
    given = yaml.safe_load(text)["services"]["api"]["environment"]
    every = image_environment | {
        name: "x" if value is None else value for name, value in given.items()
    }
    every |= {"CHURN_API_KEYS": "0" * 64, "CHURN_WORKERS": "2", "CHURN_CANARY_PERCENT": "5"}

    settings = read_settings(every)

    assert (settings.host, settings.port, settings.store) == ("0.0.0.0", 8000, "/store")
    assert settings.environment == "production"
    assert settings.keyed
    assert settings.scratch_folder == "/state/scratch"  # on the one volume that can be written


@pytest.mark.parametrize(("overlay", "keyed"), [("kind", False), ("production", True)])
def test_an_overlay_configures_the_service(rendered, image_environment, overlay, keyed):
    given = next(each["data"] for each in rendered[overlay] if each["kind"] == "ConfigMap")

    settings = read_settings(image_environment | given)

    assert settings.keyed is keyed
    # A pod is killed only after the service had the time that it asks for.
    pod = next(e for e in rendered[overlay] if e["kind"] == "Deployment")["spec"]["template"][
        "spec"
    ]
    needed = settings.drain_seconds + 2 * settings.stop_seconds + 5
    assert pod["terminationGracePeriodSeconds"] >= needed
    _require_writable(pod, settings.scratch_folder)


def _require_writable(pod, folder):
    """The pod's root is read-only, so the folder lies on a volume that is not."""
    mounts = pod["containers"][0]["volumeMounts"]
    writable = {each["mountPath"] for each in mounts if not each.get("readOnly")}
    assert any(Path(folder).is_relative_to(place) for place in writable - {"/tmp"})


def test_compose_configures_the_worker_of_the_stream(root, image_environments):
    text = (root / "docker-compose.yml").read_text()
    services = yaml.safe_load(text)["services"]
    given = {n: v for n, v in services["stream"]["environment"].items() if v is not None}

    settings = read_stream_settings(image_environments["stream"] | given)

    assert (settings.host, settings.port, settings.store) == ("0.0.0.0", 8001, "/store")
    assert settings.kafka_servers == ("kafka:9092",)
    assert settings.redis.get_secret_value().endswith("@redis:6379/0")
    # Canary and shadow are the API's own settings: the same customer meets the same version.
    assert {n for n, v in services["stream"]["environment"].items() if v is None} == {
        n for n, v in services["api"]["environment"].items() if v is None
    }


def test_the_streaming_overlay_configures_the_worker(rendered, image_environments):
    maps = [each for each in rendered["streaming"] if each["kind"] == "ConfigMap"]
    (given,) = [e["data"] for e in maps if e["metadata"]["name"].startswith("churn-stream-")]

    settings = read_stream_settings(image_environments["stream"] | given)

    assert settings.kafka_servers == ("kafka.kafka.svc:9092",)
    assert settings.ledger.get_secret_value() == "sqlite:////state/ledger.db"
    workers = [e for e in rendered["streaming"] if e["metadata"]["name"] == "churn-stream"]
    (pod,) = [e["spec"]["template"]["spec"] for e in workers if e["kind"] == "Deployment"]
    _require_writable(pod, settings.scratch_folder)
