"""Settings as they are said: the file, the profile over it, `--set` over both, and every refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from churn.errors import InputError
from churn.settings.pipelines import TrainingSettings
from churn.settings.settings_file import load_settings

FILE = """\
protocol: {folds: 4, repeats: 8, seed: 3}
workers: 3
profiles:
  quick:
    protocol: {repeats: 2}
"""


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """A settings file in the folder that the command is typed in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        load_settings(TrainingSettings, path, overrides)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_what_nobody_says_is_the_default(file):
    settings = load_settings(TrainingSettings, file)

    assert settings.protocol.baseline == "logistic"
    assert settings.split == TrainingSettings().split


def test_the_file_goes_over_the_default_the_profile_over_the_file_and_set_over_all(file):
    plain = load_settings(TrainingSettings, file)
    quick = load_settings(TrainingSettings, file, ["profile=quick"])
    both = load_settings(TrainingSettings, file, ["protocol.repeats=5", "profile=quick"])

    assert (plain.protocol.folds, plain.protocol.repeats, plain.protocol.seed) == (4, 8, 3)
    assert (quick.protocol.folds, quick.protocol.repeats, quick.protocol.seed) == (4, 2, 3)
    assert (both.protocol.folds, both.protocol.repeats, both.protocol.seed) == (4, 5, 3)
    assert (plain.profile, quick.profile, quick.workers) == ("full", "quick", 3)


def test_a_file_may_choose_its_profile_itself(file):
    file.write_text(f"profile: quick\n{FILE}", encoding="utf-8")

    assert load_settings(TrainingSettings, file).protocol.repeats == 2
    assert load_settings(TrainingSettings, file, ["profile=full"]).protocol.repeats == 8


def test_the_last_of_two_equal_keys_counts(file):
    assert load_settings(TrainingSettings, file, ["workers=4", "workers=5"]).workers == 5


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("workers=7", lambda s: s.workers, 7),
        ("split.gate_fraction=0.25", lambda s: s.split.gate_fraction, 0.25),
        ("recipes.gbm.monotone_tenure=false", lambda s: s.recipes["gbm"].monotone_tenure, False),
        ("candidates=[logistic, gbm]", lambda s: s.candidates, ("logistic", "gbm")),
        ("model.tags=[a, b]", lambda s: s.model.tags, ("a", "b")),
        ("protocol={repeats: 6, baseline: logistic}", lambda s: s.protocol.repeats, 6),
        ("data.source=a=b.csv", lambda s: s.data.source, "a=b.csv"),
        ("data.source=@odd.csv", lambda s: s.data.source, "@odd.csv"),
        ("data.sha256=null", lambda s: s.data.sha256, None),
        ("model.audience=Ada: the team", lambda s: s.model.audience, "Ada: the team"),
        ("model.audience=as in ticket #42", lambda s: s.model.audience, "as in ticket #42"),
        ("model.audience='a # b'", lambda s: s.model.audience, "a # b"),
        (" workers =7", lambda s: s.workers, 7),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_set_speaks_yaml(file, override, read, value):
    recipe = "recipes={logistic: {kind: logistic}, gbm: {kind: gbm}}"
    named = ["candidates=[logistic]", recipe, override]

    assert read(load_settings(TrainingSettings, file, named)) == value


def test_a_recipe_of_ones_own_needs_no_file(file):
    settings = load_settings(
        TrainingSettings,
        file,
        [
            "recipes={logistic: {kind: logistic}, deep: {kind: gbm, depth: 6}}",
            "candidates=[logistic, deep]",
        ],
    )

    assert settings.recipes["deep"].depth == 6
    assert settings.recipes["deep"].trees == 400


KNOWN = (
    "known: profile, data, split, candidates, recipes, selection, protocol, nested, evaluation, "
    "floors, value, threshold, slices, explanation, validation, model, output, workers."
)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "profil=quick",
            f"Unknown setting 'profil' in --set; {KNOWN} Did you mean 'profile'?",
        ),
        ("zzz=1", f"Unknown setting 'zzz' in --set; {KNOWN}"),
        ("zzz.deeper.still=1", f"Unknown setting 'zzz' in --set; {KNOWN}"),
        (
            "split.sed=1",
            "Unknown setting 'split.sed' in --set; known under 'split': gate_fraction, seed. "
            "Did you mean 'seed'?",
        ),
        (
            "recipes.gbm={kind: gbm, treees: 4}",
            "Unknown setting 'recipes.gbm.treees' in --set; known under 'recipes.gbm': kind, "
            "trees, depth, learning_rate, minimum_leaf_rows, l2, column_share, monotone_tenure, "
            "seed, features. Did you mean 'trees'?",
        ),
    ],
    ids=["top", "top without a near one", "below what is unknown", "nested", "recipe"],
)
def test_an_unknown_key_names_its_place_the_known_ones_and_the_nearest(file, override, sentence):
    assert refusal(file, override) == sentence


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("workers=many", "Setting 'workers' in --set must be a whole number, not 'many'."),
        ("workers=1.5", "Setting 'workers' in --set must be a whole number, not 1.5."),
        ("workers=true", "Setting 'workers' in --set must be a whole number, not True."),
        (
            "split.gate_fraction=a fifth",
            "Setting 'split.gate_fraction' in --set must be a number, not 'a fifth'.",
        ),
        (
            "recipes.gbm={kind: gbm, monotone_tenure: 3}",
            "Setting 'recipes.gbm.monotone_tenure' in --set must be true or false, not 3.",
        ),
        (
            "candidates=logistic",
            "Setting 'candidates' in --set must be a list, such as [a, b], not 'logistic'.",
        ),
        ("candidates=[]", "Setting 'candidates' in --set must hold at least 1, not []."),
        ("split=3", "Setting 'split' in --set must be a mapping of settings, not 3."),
        ("data.source=2024", "Setting 'data.source' in --set must be text, not 2024."),
        ("data.source=", "Setting 'data.source' in --set must not be empty, not ''."),
        (
            "recipes.logistic={kind: logistic, class_weight: heavy}",
            "Setting 'recipes.logistic.class_weight' in --set must be one of 'none' or "
            "'balanced', not 'heavy'.",
        ),
        (
            "recipes.gbm={kind: forest}",
            "Setting 'recipes.gbm' in --set must have one of the kinds 'logistic', "
            "'spline_logistic', 'gbm', 'tabular_net', "
            "'blend', 'tuned_gbm', 'tuned_tabular_net'.",
        ),
        ("recipes.gbm={depth: 3}", "Setting 'recipes.gbm' in --set must say its kind."),
        ("recipes.blend={kind: blend}", "Setting 'recipes.blend.members' in --set is required."),
    ],
    ids=lambda value: value if "=" in value else "",
)
def test_a_value_of_the_wrong_type_says_what_may_stand_there(file, override, sentence):
    assert refusal(file, override) == sentence


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "split.gate_fraction=0.9",
            "Setting 'split.gate_fraction' in --set must be at most 0.5, not 0.9.",
        ),
        ("workers=0", "Setting 'workers' in --set must be at least 1, not 0."),
        (
            "floors.roc_auc_lower=0.5",
            "Setting 'floors.roc_auc_lower' in --set must be above 0.5, not 0.5.",
        ),
        (
            "floors.roc_auc_lower=1.0",
            "Setting 'floors.roc_auc_lower' in --set must be below 1.0, not 1.0.",
        ),
        (
            "data.sha256=abc",
            "Setting 'data.sha256' in --set must match ^[0-9a-fA-F]{64}$, not 'abc'.",
        ),
    ],
    ids=lambda value: value if "=" in value else "",
)
def test_a_value_out_of_range_says_where_the_range_ends(file, override, sentence):
    assert refusal(file, override) == sentence


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_no_limit_is_passed_by_what_is_no_number(file, value):
    assert "'floors.roc_auc_lower' in --set must be" in refusal(
        file, f"floors.roc_auc_lower={value}"
    )


@pytest.mark.parametrize("override", ["foo", "=3", "a..b=3", ".a=3", "a.=3", ""])
def test_what_is_not_key_and_value_is_refused(file, override):
    assert refusal(file, override) == (
        f"--set {override!r} is not key=value, such as --set profile=quick."
    )


def test_a_key_below_a_value_is_refused(file):
    assert refusal(file, "split=3", "split.seed=4") == (
        "--set 'split.seed=4' goes into 'split', which --set made a value."
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [("2024-01-01", "2024-01-01"), ("'2024-01-01'", "2024-01-01"),
     ("2024-01-01 10:00:00", "2024-01-01T10:00:00")],
)  # fmt: skip
def test_a_date_is_text_with_and_without_quotes(file, written, text):
    file.write_text(f"data: {{source: {written}}}\n", encoding="utf-8")

    assert load_settings(TrainingSettings, file).data.source == text
    set_there = load_settings(TrainingSettings, file, [f"data.source={written}"])
    assert set_there.data.source == text
    assert refusal(file, f"workers={written}").startswith(
        "Setting 'workers' in --set must be a whole"
    )


def test_what_looks_like_a_date_and_is_none_is_text_or_a_sentence(file):
    set_there = load_settings(TrainingSettings, file, ["data.source=2024-13-01"])
    assert set_there.data.source == "2024-13-01"

    file.write_text("data: {source: 2024-13-01}\n", encoding="utf-8")
    assert "cannot be read as YAML: month must be in 1..12" in refusal(file)


def test_what_json_cannot_say_is_refused_and_its_place_named(file):
    binary = "data: {source: !!binary aGVsbG8=}\n"

    assert refusal(file, "data.source=!!binary aGVsbG8=").startswith(
        "--set holds a value that is not"
    )
    file.write_text(binary, encoding="utf-8")
    assert refusal(file).startswith("mine.yaml holds a value that is not plain YAML")


def test_an_unknown_profile_lists_the_known_ones(file):
    assert refusal(file, "profile=fast") == (
        "There is no profile 'fast' in mine.yaml; known: full, quick."
    )
    assert refusal(file, "profile=[quick]").startswith("There is no profile ['quick']")


def test_a_profile_that_is_no_mapping_is_refused(file):
    file.write_text("profiles: {quick: 3}\n", encoding="utf-8")

    assert refusal(file, "profile=quick") == (
        "Profile 'quick' in mine.yaml must be a mapping of settings."
    )


def test_a_fault_in_the_file_or_its_profile_is_the_files(file):
    file.write_text("splitt: {}\nprofiles: {quick: {workers: two}}\n", encoding="utf-8")
    assert refusal(file) == (
        f"Unknown setting 'splitt' in mine.yaml; {KNOWN} Did you mean 'split'?"
    )

    file.write_text("profiles: {quick: {workers: two}}\n", encoding="utf-8")
    assert load_settings(TrainingSettings, file).workers == 2
    assert refusal(file, "profile=quick") == (
        "Setting 'workers' in mine.yaml must be a whole number, not 'two'."
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a: [1", "The configuration mine.yaml cannot be read as YAML: while parsing"),
        (b"\xff\xfe\x00", "The configuration mine.yaml cannot be read as YAML: "),
        (b"- a\n- b\n", "The configuration mine.yaml must be a YAML mapping of settings."),
        (b"just text", "The configuration mine.yaml must be a YAML mapping of settings."),
    ],
    ids=["open bracket", "no text", "list", "text"],
)
def test_a_file_that_is_no_mapping_is_refused(file, content, sentence):
    file.write_bytes(content)

    assert refusal(file).startswith(sentence)


def test_a_file_that_is_missing_or_a_folder_is_refused(file):
    assert refusal(file.with_name("other.yaml")) == (
        "The configuration other.yaml does not exist; name one that does."
    )
    assert refusal(file.parent).startswith("The configuration . cannot be read as YAML: ")


def test_an_empty_file_says_nothing_and_that_is_allowed(file):
    file.write_text("# nothing yet\n", encoding="utf-8")

    assert load_settings(TrainingSettings, file) == TrainingSettings()


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (
            ["candidates=[logistic, forest]"],
            "candidates names 'forest', which is not among recipes: logistic, logistic_balanced, "
            "spline_logistic, gbm, blend, tabular_net, deep_blend, tuned_gbm, tuned_tabular_net",
        ),
        (["candidates=[logistic, gbm, gbm]"], "candidates names a recipe twice"),
        (
            ["candidates=[logistic, tuned_gbm]"],
            "candidates names 'tuned_gbm', which is too expensive for the protocol's 50 splits; name it "
            "in nested.candidates, too, as profile=deep does",
        ),
        (["nested.candidates=[gbm]"], "nested.candidates must name the baseline 'logistic', too"),
        (
            ["nested.candidates=[logistic, forest]"],
            "nested.candidates names 'forest', which is not among recipes",
        ),
        (
            ["candidates=[gbm]"],
            "protocol.baseline is 'logistic', which is not among candidates: gbm",
        ),
        (
            ["recipes.blend.members=[gbm, forest]"],
            "recipes.blend.members names 'forest', which is not among the recipes that can be "
            "blended: logistic, logistic_balanced, spline_logistic, gbm, tabular_net, tuned_gbm, "
            "tuned_tabular_net",
        ),
        (
            ["recipes.more={kind: blend, members: [gbm, blend]}"],
            "recipes.more.members names 'blend', which is not among the recipes that can be "
            "blended: logistic, logistic_balanced, spline_logistic, gbm, tabular_net, tuned_gbm, "
            "tuned_tabular_net",
        ),
    ],
    ids=[
        "unknown candidate",
        "twice",
        "expensive",
        "nested without baseline",
        "nested unknown",
        "no baseline",
        "unknown member",
        "blend of a blend",
    ],
)
def test_settings_that_contradict_each_other_are_refused_before_a_run(
    root, monkeypatch, overrides, reason
):
    monkeypatch.chdir(root)

    assert refusal(root / "configs" / "training.yaml", *overrides) == (
        f"The settings in configs/training.yaml with --set do not go together: {reason}."
    )


def test_settings_stay_as_they_were_read(file):
    settings = load_settings(TrainingSettings, file)

    with pytest.raises(ValidationError, match="frozen"):
        settings.workers = 9
    with pytest.raises(ValidationError, match="frozen"):
        settings.protocol.repeats = 9
