"""The production version through Seldon: manifests rendered, applied, tested over V2, rolled back."""

from __future__ import annotations

import pytest
import yaml

from churn.errors import InputError
from churn.scoring.bundle import current, verify_bundle

IMAGE = "registry.example/churn-mlserver:1.4.0"


@pytest.fixture
def kubectl(fake):
    return fake("kubectl")


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
    number = max(n for n, line in enumerate(kubectl.commands) if line.startswith(word))
    documents = yaml.safe_load_all(kubectl.stdin(number))
    return [(each["kind"], each["metadata"]["name"]) for each in documents]


def test_core_2_gets_a_packed_bundle_a_server_and_a_model_and_answers_over_v2(
    deployer, kubectl, seldon, tmp_path
):
    done = deployer.deploy(*seldon)

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    verify_bundle(tmp_path / "models" / "1" / "bundle")
    assert (tmp_path / "models" / "1" / "model-settings.json").is_file()
    assert applied(kubectl, "apply") == [("Server", "churn-server"), ("Model", "churn-1")]
    assert "wait --for=condition=ready model/churn-1 --timeout=2s" in kubectl.commands
    assert [each.path for each in done.smoke.routes] == ["/v2/models/churn-1/infer"]


def test_a_model_off_by_a_billionth_is_deleted_and_the_former_applied_again(
    deployer, kubectl, seldon
):
    deployer.deploy(*seldon)
    deployer.promote("2")
    kubectl.set("off-by", "1e-9")

    done = deployer.deploy(*seldon)

    assert (done.status, done.serving) == ("rolled back", "1"), done.sentence
    assert "where the bundle has" in done.reason
    assert applied(kubectl, "apply") == [("Server", "churn-server"), ("Model", "churn-1")]
    assert applied(kubectl, "delete") == [("Model", "churn-2")]


def test_a_first_model_that_does_not_pass_is_deleted_with_all_that_came_with_it(
    deployer, kubectl, seldon
):
    kubectl.set("off-by", "1e-9")

    done = deployer.deploy(*seldon)

    assert (done.status, done.serving) == ("rolled back", None)
    assert applied(kubectl, "delete") == [("Server", "churn-server"), ("Model", "churn-1")]


def test_manifests_of_which_a_part_was_applied_are_deleted(deployer, kubectl, seldon):
    kubectl.set("apply-fails")

    done = deployer.deploy(*seldon)

    assert (done.status, done.serving) == ("rolled back", None)
    assert "the second of two documents was refused" in done.reason
    assert done.sentence.endswith("What was applied was deleted; none was served from here before.")
    assert applied(kubectl, "delete") == [("Server", "churn-server"), ("Model", "churn-1")]


def test_core_1_reads_the_store_and_answers_in_its_own_protocol(
    deployer, kubectl, seldon, tmp_path
):
    done = deployer.deploy(*seldon, "seldon.core=1")

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    assert current(tmp_path / "models").digest == current(deployer.store).digest
    assert applied(kubectl, "apply") == [("SeldonDeployment", "churn")]
    assert [each.path for each in done.smoke.routes] == ["/api/v1.0/predictions"]


@pytest.mark.parametrize(
    ("left_out", "message"),
    [("image", "--set seldon.image=IMAGE:TAG"), ("bundle_uri", "--set seldon.bundle_uri=s3://")],
)
def test_a_missing_seldon_setting_is_named(deployer, kubectl, seldon, left_out, message):
    given = [each for each in seldon if f".{left_out}=" not in each]

    with pytest.raises(InputError, match=message):
        deployer.deploy(*given)

    assert kubectl.commands == []


def test_an_image_without_a_fixed_tag_is_refused(deployer, kubectl, seldon):
    with pytest.raises(InputError, match="tag other than latest"):
        deployer.deploy(*seldon, "seldon.image=churn-mlserver:latest")

    assert kubectl.commands == []


def test_a_dry_run_shows_the_manifests_and_changes_nothing(deployer, kubectl, seldon, tmp_path):
    done = deployer.deploy(*seldon, "dry_run=true")

    assert done.status == "dry run"
    assert done.actions[1].startswith("$ python -m service.seldon.render --v2 --image ")
    assert "storageUri" in done.manifests
    assert [line.split()[0] for line in kubectl.commands] == ["config", "version"]
    assert not (tmp_path / "models").exists()
