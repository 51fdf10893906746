"""Help and list: complete, printed at once, and without heavy imports."""

import json
import re
import subprocess
import sys

import pytest

import run

HEAVY = ("lightgbm", "matplotlib", "mlflow", "numpy", "pandas", "pyarrow", "sklearn", "zenml")


def test_help_names_every_option_exit_code_and_the_default_stack(capfd):
    with pytest.raises(SystemExit) as left:
        run.main(["--help"])

    said = capfd.readouterr().out
    assert left.value.code == 0
    options = "--pipeline --list --doctor --stack --config --set --no-cache --json --verbose"
    for each in (*options.split(), "default: local-mlflow"):
        assert each in said, each
    codes = re.findall(r"^  (\d+) ", said.partition("exit codes:")[2], re.MULTILINE)
    assert sorted(map(int, codes)) == [0, 1, 2, 3, 130]


def test_the_list_names_every_pipeline_and_stack_with_a_line_about_it(root, capfd):
    assert run.main(["--list"]) == 0
    said = capfd.readouterr().out
    assert run.main(["--list", "--json"]) == 0
    listed = json.loads(capfd.readouterr().out)

    pipelines = {path.stem for path in (root / "configs").glob("*.yaml")}
    stacks = {path.stem for path in (root / "stacks" / "definitions").glob("*.yaml")}
    assert set(listed["pipelines"]) == pipelines
    assert set(listed["stacks"]) == stacks
    assert listed["default"] in stacks
    for name, line in (listed["pipelines"] | listed["stacks"]).items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", said, re.MULTILINE), name


@pytest.mark.parametrize("option", ["--help", "--list"])
def test_help_and_list_import_nothing_heavy(root, option):
    code = (
        "import sys, run\n"
        "try:\n"
        f"    run.main([{option!r}])\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print('loaded:', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert answer.stdout.endswith("loaded: []\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--list", "--doctor"], ["--list", "--pipeline", "training"], ["--pipe", "training"]],
    ids=["nothing", "two things", "list and run", "abbreviated"],
)
def test_what_cannot_be_asked_shows_the_usage(capfd, arguments):
    with pytest.raises(SystemExit) as left:
        run.main(arguments)

    assert left.value.code == 2
    assert "usage: run.py" in capfd.readouterr().err
