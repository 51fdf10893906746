"""What images, Compose and Kubernetes tell the service are settings that it knows and takes."""

import re

import pytest
import yaml

from churn.errors import InputError
from service.api.settings import read_settings


@pytest.fixture(scope="module")
def image_environment(root):
    """What the image's own ENV lines set."""
    text = (root / "Dockerfile").read_text()
    return dict(re.findall(r"^(?:ENV| +) *(CHURN_\w+)=(\S+)", text, re.MULTILINE))


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
