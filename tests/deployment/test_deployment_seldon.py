"""The production version through Seldon: manifests rendered, applied, asked over V2, put back."""

from __future__ import annotations

import pytest
import yaml

from churn.errors import InputError
from churn.scoring.bundle import current, verify_bundle

IMAGE = "registry.example/churn-mlserver:1.4.0"


@pytest.fixture
def kubectl(stand_in):
    return stand_in("kubectl")


@pytest.fixture
def seldon(tmp_path):
    """What the settings must name."""
    return (
        "target=seldon",
        f"seldon.image={IMAGE}",
        f"seldon.bundle_uri={tmp_path / 'models'}",
        "smoke.wait_seconds=2",
    )


def applied(kubectl, word: str) -> list[tuple[str, str]]:
    """Kind and name of what the last `apply` or `delete` was given."""
    number = max(n for n, line in enumerate(kubectl.told) if line.startswith(word))
    documents = yaml.safe_load_all(kubectl.given(number))
    return [(each["kind"], each["metadata"]["name"]) for each in documents]


def test_core_2_gets_a_packed_bundle_a_server_and_a_model_and_answers_over_v2(
    place, kubectl, seldon, tmp_path
):
    done = place.deploy(*seldon)

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    verify_bundle(tmp_path / "models" / "1" / "bundle")
    assert (tmp_path / "models" / "1" / "model-settings.json").is_file()
    assert applied(kubectl, "apply") == [("Server", "churn-server"), ("Model", "churn-1")]
    assert "wait --for=condition=ready model/churn-1 --timeout=2s" in kubectl.told
    assert [each.path for each in done.smoke.routes] == ["/v2/models/churn-1/infer"]


def test_a_model_off_by_a_billionth_is_taken_away_and_the_former_applied_again(
    place, kubectl, seldon
):
    place.deploy(*seldon)
    place.promote("2")
    kubectl.put("off-by", "1e-9")

    done = place.deploy(*seldon)

    assert (done.status, done.serving) == ("rolled back", "1"), done.sentence
    assert "where the bundle has" in done.reason
    assert applied(kubectl, "apply") == [("Server", "churn-server"), ("Model", "churn-1")]
    assert applied(kubectl, "delete") == [("Model", "churn-2")]


def test_a_first_model_that_does_not_pass_is_deleted_with_all_that_came_with_it(
    place, kubectl, seldon
):
    kubectl.put("off-by", "1e-9")

    done = place.deploy(*seldon)

    assert (done.status, done.serving) == ("rolled back", None)
    assert applied(kubectl, "delete") == [("Server", "churn-server"), ("Model", "churn-1")]


def test_core_1_reads_the_store_and_answers_in_its_own_protocol(place, kubectl, seldon, tmp_path):
    done = place.deploy(*seldon, "seldon.core=1")

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    assert current(tmp_path / "models").digest == current(place.store).digest
    assert applied(kubectl, "apply") == [("SeldonDeployment", "churn")]
    assert [each.path for each in done.smoke.routes] == ["/api/v1.0/predictions"]


@pytest.mark.parametrize(
    ("left_out", "told"),
    [("image", "--set seldon.image=IMAGE:TAG"), ("bundle_uri", "--set seldon.bundle_uri=s3://")],
)
def test_what_seldon_needs_is_asked_for(place, kubectl, seldon, left_out, told):
    given = [each for each in seldon if f".{left_out}=" not in each]

    with pytest.raises(InputError, match=told):
        place.deploy(*given)

    assert kubectl.told == []


def test_an_image_that_is_another_one_tomorrow_is_refused_in_renders_words(place, kubectl, seldon):
    with pytest.raises(InputError, match="tag other than latest"):
        place.deploy(*seldon, "seldon.image=churn-mlserver:latest")

    assert kubectl.told == []


def test_a_dry_run_shows_the_manifests_and_changes_nothing(place, kubectl, seldon, tmp_path):
    done = place.deploy(*seldon, "dry_run=true")

    assert done.status == "dry run"
    assert done.actions[1].startswith("$ python -m service.seldon.render --v2 --image ")
    assert "storageUri" in done.manifests
    assert [line.split()[0] for line in kubectl.told] == ["config", "version"]
    assert not (tmp_path / "models").exists()
