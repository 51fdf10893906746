"""The site builds strictly, fetches nothing, and speaks of commands and files that exist."""

import ast
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from runner.pipeline_catalog import PIPELINES

LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
DOTTED = re.compile(
    r"`((?:churn|deployment|materializers|orchestration|pipelines|registry|runner|service|stacks|steps)(?:\.\w+)+)"
    r"(?:\(\))?`"
)
NO_MODULES = {"churn.progress", "churn.env", "churn.zip", "registry.example"}
"""A logger, two files and a host that only look like modules of ours."""


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    built = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Fetched(HTMLParser):
    """What a browser would load by itself from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        loads = tag in {"script", "img", "iframe", "source", "video", "audio"}
        loads |= tag == "link" and given.get("rel") in {"stylesheet", "preconnect", "preload"}
        address = given.get("src") or given.get("href") or ""
        if loads and re.match(r"(https?:)?//", address):
            self.found.append(address)
        if "mermaid" in (given.get("class") or "").split():
            self.found.append("a mermaid diagram, whose script comes from a public server")


def test_every_page_reads_without_the_internet(site):
    pages = list(site.rglob("*.html"))
    fetched = Fetched()
    for page in pages:
        fetched.feed(page.read_text(encoding="utf-8"))

    assert len(pages) > 10
    assert fetched.found == []


def test_every_page_is_in_the_navigation(root):
    class Loader(yaml.SafeLoader):
        """Reads mkdocs.yml, whose tags are for mkdocs alone."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    nav = yaml.load((root / "mkdocs.yml").read_text(), Loader)["nav"]

    def pages(entry) -> set[str]:
        if isinstance(entry, str):
            return {entry}
        inner = entry.values() if isinstance(entry, dict) else entry
        return set().union(*map(pages, inner))

    written = {path.relative_to(root / "docs").as_posix() for path in root.glob("docs/**/*.md")}
    assert pages(nav) == written


def documents(root: Path) -> list[Path]:
    top = [root / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return top + sorted(root.glob("docs/**/*.md"))


def test_links_between_files_lead_somewhere(root):
    broken = [
        f"{document.name}: {target}"
        for document in documents(root)
        for target in LINK.findall(document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]

    assert broken == []


def defines(body: list[ast.stmt], names: list[str]) -> bool:
    """Whether the first name is defined in a body, the second one in the first, and so on."""
    if not names:
        return True
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined = {node.name}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined = {(alias.asname or alias.name) for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined = {target.id for target in targets if isinstance(target, ast.Name)}
        else:
            continue
        if names[0] in defined:
            return defines(getattr(node, "body", []), names[1:])
    return False


def exists(root: Path, dotted: str) -> bool:
    """Whether a dotted name is a package or module of ours, or something that one defines."""
    place, names = root, dotted.split(".")
    while names and (place / names[0]).is_dir():
        place /= names.pop(0)
    if not names:
        return True
    if (place / f"{names[0]}.py").is_file():
        module = place / f"{names.pop(0)}.py"
    else:
        module = place / "__init__.py"
    return module.is_file() and defines(ast.parse(module.read_text("utf-8")).body, names)


@pytest.mark.parametrize(
    ("dotted", "expected"),
    [
        ("churn.errors", True),
        ("churn.errors.InputError", True),
        ("churn.promotion.decision.Decision.status", True),
        ("churn.promotion.decision.Decision.outcome", False),
        ("churn.errors.Missing", False),
        ("churn.missing", False),
    ],
)
def test_a_dotted_name_exists_if_its_module_defines_it(root, dotted, expected):
    assert exists(root, dotted) is expected


def test_every_dotted_name_in_pages_and_code_exists(root):
    git = ["git", "-C", str(root), "ls-files", "--", "*.py", "*.md", ":!CHANGELOG.md"]
    listed = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split()
    texts = {file: (root / file).read_text("utf-8") for file in listed if (root / file).exists()}
    names = {
        (file, name)
        for file, text in texts.items()
        for name in DOTTED.findall(text)
        if name not in NO_MODULES
    }

    assert len(names) > 30
    assert [each for each in sorted(names) if not exists(root, each[1])] == []


def test_every_make_target_that_is_mentioned_exists(root):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert len(documents(root)) > 10
    for document in documents(root):
        text = document.read_text(encoding="utf-8")
        code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
        mentioned = {name for part in code for name in re.findall(r"\bmake ([a-z][a-z-]+)", part)}
        assert mentioned <= targets, f"{document.name} mentions {mentioned - targets}"


def test_the_readme_opens_with_the_two_commands_and_what_they_print(root):
    opening = (root / "README.md").read_text(encoding="utf-8").splitlines()[:40]
    text = "\n".join(opening)

    assert 0 < text.index("make train") < text.index("make test") < text.index("<!-- output -->")


def roadmap(root: Path) -> list[tuple[str, str, str]]:
    """Item, state and command of every row of the roadmap."""
    text = (root / "docs" / "roadmap.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (\w+)(?::.*?)? \| (.+?) \|$", text, re.MULTILINE)
    return [row for row in rows if row[0] != "item"]


def test_every_item_of_the_roadmap_has_a_state_and_a_command(root):
    rows = roadmap(root)

    assert len(rows) > 30
    states = {state for _, state, _ in rows}
    assert {"done"} <= states <= {"done", "partly", "open"}
    assert [item for item, _, command in rows if "`" not in command] == []


def test_what_the_roadmap_calls_open_does_not_exist(root):
    commands = [command.strip("`") for _, state, command in roadmap(root) if state == "open"]
    files = [command.removeprefix("ls ") for command in commands if command.startswith("ls ")]
    pipelines = {name for command in commands for name in re.findall(r"--pipeline (\w+)", command)}

    assert len(files) + len([c for c in commands if "--pipeline" in c]) == len(commands)
    assert [file for file in files if (root / file).exists()] == []
    assert pipelines & {entry.name for entry in PIPELINES} == set()


def test_what_the_roadmap_calls_done_exists(root):
    commands = [command for _, state, command in roadmap(root) if state != "open"]
    text = "\n".join(commands)
    paths = re.findall(r"(?:pytest|ls) ([\w/]+)|(tools/\w+\.py)|(\.\w+/[\w./]+)", text)
    modules = re.findall(r"python -m (benchmarks\.\w+)", text)
    pipelines = re.findall(r"--pipeline (\w+)", text)

    missing = [path for found in paths for path in found if path and not (root / path).exists()]
    missing += [m for m in modules if not (root / f"{m.replace('.', '/')}.py").exists()]
    missing += sorted(set(pipelines) - {entry.name for entry in PIPELINES})
    assert min(len(paths), len(modules), len(pipelines)) > 1
    assert missing == []


def private_uses(root: Path) -> set[str]:
    """Files that read an attribute with a leading underscore of something that is not their own."""
    git = ["git", "-C", str(root), "ls-files", "--", "*.py", ":!tests", ":!benchmarks"]
    listed = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split()
    named_tuples = {"_asdict", "_fields", "_replace"}
    return {
        file
        for file in listed
        if (root / file).exists()
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and re.match(r"_[a-z]", node.attr)
        and node.attr not in named_tuples
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
    }


def test_private_parts_of_libraries_are_listed_with_the_time_when_they_can_go(root):
    text = (root / "docs" / "known-limits.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/.]+\.py)` \| (\S+ [\d.]+) \| .+ \| .+ \|$", text, re.MULTILINE)

    used = private_uses(root)

    assert len(used) > 1
    assert used <= {file for file, _ in rows}
    assert [file for file, _ in rows if not (root / file).is_file()] == []
