"""What lies in the repository: readable files, the data's own bytes, no secret, no machine's path."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

NOT_OURS = {".git", ".venv", ".churn", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
NOT_OURS |= {"site", "__pycache__", ".import_linter_cache", ".zen", "mlruns", "processed"}
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".lock",
    ".css",
    ".j2",
    ".html",
    ".cfg",
    ".json",
    "",
}
PACKAGES = (
    "benchmarks",
    "churn",
    "deployment",
    "materializers",
    "orchestration",
    "pipelines",
    "registry",
    "runner",
    "service",
    "stacks",
    "steps",
    "tests",
    "tools",
)
LONGEST = 400
LONG = 250
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}

SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an AWS key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})\b",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "an API key": r"\bsk-[A-Za-z0-9_-]{20,}",
    "a web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
}
# /opt/kafka lies in an image of Kafka, not on a machine of ours.
MACHINE_PATHS = r"(?<![\w.:/-])/(?!opt/kafka/)(work|root|opt|mnt|Users|home)/\w+"


@pytest.fixture(scope="module")
def files(root: Path) -> list[Path]:
    """Everything that would be committed; without git (an unpacked archive), everything of ours."""
    git = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if shutil.which("git") and (root / ".git").exists():
        listed = subprocess.run(git, capture_output=True, text=True, check=True).stdout
        found = [root / name for name in listed.split("\0") if name]
    else:
        found = [path for path in root.rglob("*") if not NOT_OURS & set(path.parts)]
    return sorted(path for path in found if path.is_file())


@pytest.fixture(scope="module")
def texts(files: list[Path]) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in files if path.suffix in TEXT}


@pytest.fixture(scope="module")
def sources(root: Path, files: list[Path]) -> dict[Path, int]:
    """Our Python files and their lengths in lines."""
    paths = [path.relative_to(root) for path in files if path.suffix == ".py"]
    return {
        path: len((root / path).read_text(encoding="utf-8").splitlines())
        for path in paths
        if path.parts[0] in PACKAGES
    }


def test_most_files_are_short_and_none_is_long(sources):
    too_long = {str(path): lines for path, lines in sources.items() if lines > LONGEST}
    long = sum(lines > LONG for lines in sources.values())

    assert too_long == {}
    assert len(sources) > 20
    assert long <= 0.1 * len(sources)


def test_no_file_has_a_name_that_says_nothing(root, files):
    named = {part for path in files for part in path.relative_to(root).with_suffix("").parts}

    assert named & EMPTY_NAMES == set()


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_lies_in_a_file(texts, secret):
    found = [path.name for path, text in texts.items() if re.search(SECRETS[secret], text)]

    assert found == []


@pytest.mark.parametrize(
    ("secret", "planted"),
    [
        ("a private key", "-----BEGIN RSA PRIVATE " + "KEY-----"),
        ("an AWS key", "AKIA" + "Q3EGRIO7VZ5XNBDF"),
        ("a GitHub token", "ghp_" + "a1" * 18),
        ("an API key", "sk-" + "proj-a1b2c3d4e5f6g7h8i9j0"),
    ],
)
def test_a_planted_secret_would_be_found(secret, planted):
    assert re.search(SECRETS[secret], f'token = "{planted}"')


def test_no_file_knows_the_machine_it_was_written_on(texts):
    found = {
        path.name: hit.group()
        for path, text in texts.items()
        if (hit := re.search(MACHINE_PATHS, text)) and path.name != Path(__file__).name
    }

    assert found == {}


def test_text_ends_with_one_newline_and_has_unix_lines(files):
    assert sum(path.suffix in TEXT for path in files) > 500
    for path in files:
        content = path.read_bytes()
        if path.suffix not in TEXT or not content:
            continue
        assert b"\r" not in content, path
        assert content.endswith(b"\n"), path
        assert not content.endswith(b"\n\n"), path


def test_the_snapshot_is_the_accepted_one_byte_for_byte(root, contract):
    import hashlib

    snapshot = (root / contract.snapshot.path).read_bytes()

    assert hashlib.sha256(snapshot).hexdigest() == contract.snapshot.sha256
    assert b"\r" not in snapshot
    attributes = (root / ".gitattributes").read_text()
    assert "*.csv -text" in attributes.splitlines()


def test_no_database_is_committed(root, files):
    assert [
        str(path.relative_to(root)) for path in files if path.suffix in {".db", ".sqlite"}
    ] == []


def test_the_original_file_is_not_redistributed(files):
    assert not [path for path in files if path.name.startswith("WA_Fn-UseC")]
