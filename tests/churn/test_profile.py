import pytest

from churn.profile import profile_note, require_own_registry


@pytest.mark.parametrize(
    ("profile", "model"),
    [("full", "telco-churn"), ("quick", "demo"), ("deep", "demo-2"), ("demo", "telco-churn-demo")],
)
def test_a_model_and_its_profile_go_together(profile, model):
    require_own_registry(profile, model)


@pytest.mark.parametrize("model", ["telco-churn", "demo", "telco-demo-2"])
def test_a_demonstration_needs_a_name_that_says_so(model):
    with pytest.raises(ValueError, match=f"name ends in -demo, not '{model}'"):
        require_own_registry("demo", model)


@pytest.mark.parametrize("profile", ["full", "quick", "deep"])
def test_a_name_that_says_so_is_for_demonstrations_alone(profile):
    with pytest.raises(
        ValueError, match="'telco-churn-demo' is a demonstration; name profile=demo"
    ):
        require_own_registry(profile, "telco-churn-demo")


def test_only_a_whole_profile_needs_no_note():
    assert profile_note("full") is None
    assert profile_note("deep") is None
    assert "not for production" in profile_note("demo")
    assert "not the protocol's" in profile_note("quick")
    assert "not recorded" in profile_note(None)
