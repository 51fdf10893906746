"""The Dockerfile is clean by hadolint, every stage ends as nobody, and versions are the locks' own."""

import re
import subprocess
import tomllib

import pytest

TARGETS = ("api", "stream", "seldon", "mlserver", "pipeline", "mlflow")


@pytest.fixture(scope="module")
def text(root):
    return (root / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def stages(text):
    """Each stage's base and lines, continued lines joined."""
    found = {}
    for part in re.split(r"^FROM ", re.sub(r"\\\n\s*", "", text), flags=re.MULTILINE)[1:]:
        head, *lines = part.splitlines()
        base, name = re.fullmatch(r"(\S+) AS (\S+)", head).groups()
        found[name] = base, [line for line in lines if line and not line.startswith("#")]
    return found


def test_hadolint_finds_nothing(root, tool):
    answer = tool("hadolint", "--failure-threshold", "style", "Dockerfile", cwd=root)

    assert (answer.returncode, answer.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path, tool):
    (tmp_path / "Dockerfile").write_text("FROM python:latest\nRUN cd /tmp && sudo pip install x\n")

    answer = tool("hadolint", "Dockerfile", cwd=tmp_path)

    assert answer.returncode == 1
    assert {"DL3007", "DL3004"} <= set(re.findall(r"DL\d+", answer.stdout))


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_unprivileged_and_has_no_installer(stages, target):
    base, lines = stages[target]
    users = [line.split()[1] for line in [*stages["runtime"][1], *lines] if line.startswith("USER")]

    assert base == "runtime"
    assert users[-1] == "10001:10001"
    assert not [line for line in lines if line.startswith("COPY --from=installer")]
    assert not [line for line in lines if re.search(r"\b(pip|uv|apt-get|gcc)\b", line)]


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"pipeline"}))
def test_every_serving_image_has_a_health_check(stages, target):
    assert [line for line in stages[target][1] if line.startswith("HEALTHCHECK --")]


@pytest.mark.parametrize(
    ("target", "stage", "lock"),
    [
        ("api", "serving-packages", "requirements-serve.lock"),
        ("stream", "stream-packages", "requirements-stream.lock"),
    ],
)
def test_an_image_that_scores_holds_the_service_the_domain_and_its_lock_alone(
    stages, target, stage, lock
):
    _, lines = stages[target]
    copied = [line.split()[1:] for line in lines if line.startswith("COPY")]
    _, packages = stages[stage]

    assert copied == [
        [f"--from={stage}", "/venv", "/venv"],
        ["churn", "churn"],
        ["service", "service"],
    ]
    assert [line.split()[1] for line in packages if line.startswith("COPY")] == [lock]


def test_the_pipelines_image_runs_on_every_stack_and_brings_the_locks_that_the_code_reads(stages):
    _, packages = stages["pipeline-packages"]
    (copied,) = [line.split()[1:-1] for line in stages["pipeline"][1] if "run.py" in line
                 and line.startswith("COPY")]  # fmt: skip

    assert [line.split()[1] for line in packages if line.startswith("COPY")] == [
        "requirements-stacks.lock"
    ]
    assert {"requirements.lock", "requirements-deep.lock"} <= set(copied)


@pytest.mark.parametrize(
    ("lock", "brought"),
    [("requirements-serve.lock", "uvicorn"), ("requirements-stream.lock", "kafka-python")],
)
def test_a_lock_lacks_the_packages_that_the_image_must_not_have(root, lock, brought):
    pinned = {line.split("==")[0] for line in (root / lock).read_text().splitlines()}

    assert brought in pinned
    assert not {"zenml", "torch", "pandas", "mlflow", "scikit-learn"} & pinned


def test_everything_copied_exists_and_is_not_ignored(root, stages):
    ignored = (root / ".dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source
        for _, lines in stages.values()
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }

    assert "*" in ignored
    assert "**/.env*" in ignored
    for source in copied:
        assert (root / source).exists(), source
        assert source in let_through or source.split("/")[0] in let_through, source
    assert let_through <= copied


def test_uv_is_the_one_that_the_checkout_uses(root, text):
    pin = re.search(r'UV_PIN = "uv==([^"]+)"', (root / "tools" / "install.py").read_text())[1]

    assert f"ARG UV_VERSION={pin}\n" in text


def test_the_image_carries_the_projects_version(root, text):
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]

    assert f"ARG VERSION={version}\n" in text


@pytest.mark.parametrize(
    "file", ["service/seldon/requirements.txt", "service/seldon/requirements-mlserver.txt"]
)
def test_what_an_image_installs_is_pinned(root, file):
    lines = (root / file).read_text().splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]

    assert requirements
    assert [line for line in requirements if "==" not in line] == []


def test_the_tracking_server_is_the_pipelines_mlflow(root):
    lines = (
        (root / "deployment" / "manifests" / "mlflow" / "requirements.txt").read_text().splitlines()
    )
    requirements = [line for line in lines if line and not line.startswith("#")]
    locked = (root / "requirements.lock").read_text()

    assert [line for line in requirements if "==" not in line] == ["mlflow"]
    assert re.search(r"^mlflow==", locked, re.MULTILINE)


def test_the_tracking_server_fits_into_what_compose_gives_it(stages):
    """Four workers and a job runner took 2 GB: it was killed, started again, and killed again."""
    text = "\n".join(stages["mlflow"][1])

    assert '"--workers", "1"' in text
    assert "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false" in text


def test_the_script_that_builds_without_an_engine_speaks_of_what_the_dockerfile_has(root, text):
    script = root / "tools" / "build_image.sh"
    content = script.read_text()
    syntax = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    declared = set(re.findall(r"^ARG (\w+)", text, re.MULTILINE))

    assert syntax.returncode == 0, syntax.stderr
    assert set(re.findall(r'--build-arg "(\w+)=', content)) <= declared
    (built,) = re.findall(r'\[\[ " ([a-z ]+) " == ', content)
    assert set(built.split()) <= set(TARGETS)
    assert set(built.split()) == set(re.findall(r"^try_(\w+)\(\)", content, re.MULTILINE))
    assert set(built.split()) == set(re.findall(r"^    \[(\w+)\]=", content, re.MULTILINE))
    # Others' processes are none of its business.
    assert not re.search(r"\b(pkill|killall|pgrep)\b", content)


def test_a_batch_is_the_pipelines_image_with_one_command(stages):
    base, lines = stages["batch"]

    assert base == "pipeline"
    assert [line.split()[0] for line in lines] == ["HEALTHCHECK", "ENTRYPOINT", "CMD"]
    assert '"--pipeline", "batch_inference"' in "".join(lines)
