"""The architecture page names every package, every import rule and what its diagram shows."""

import re
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

SECOND_LEVEL = {"churn", "data", "deployment", "docs", "service", "stacks", "steps", "tests"}
"""Folders whose own folders are listed, too."""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def test_every_package_has_one_line(root, page):
    git = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split()
    folders = {"run.py"}
    for first, *rest in (Path(file).parts for file in files if (root / file).exists()):
        if rest:
            folders.add(f"{first}/")
        if len(rest) > 1 and first in SECOND_LEVEL:
            folders.add(f"{first}/{rest[0]}/")

    rows = re.findall(r"^\| (`.+?`) \|", section(page, "Packages"), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]

    assert len(folders) > 40
    assert sorted(listed) == sorted(folders)


def test_every_import_rule_is_on_the_page(root, page):
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    rules = section(page, "Import rules")
    order = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    packages = [name for layer in order for name in layer.split(" | ")]
    one_way = next(line for line in rules.splitlines() if line.startswith("| Imports go one way"))

    listed = re.findall(r"^\| ([A-Z][^|]+?) \|", rules, re.MULTILINE)

    assert listed == [contract["name"] for contract in contracts]
    assert re.findall(r"`(\w+)`", one_way) == packages


def test_the_diagram_was_rendered_from_its_source(root):
    source = (root / "docs" / "images" / "architecture.mmd").read_text(encoding="utf-8")
    drawn = ET.parse(root / "docs" / "images" / "architecture.svg").getroot()

    written = {
        line.strip()
        for label in re.findall(r'\["?\(?"([^"]+)"|\|([^|]+)\|', source)
        for line in "".join(label).split("<br>")
    }
    lines = {
        " ".join("".join(line.itertext()).split())
        for line in drawn.iter(f"{SVG}tspan")
        if "text-outer-tspan" in line.get("class", "")
    }
    arrows = re.findall(r"-->|-\.->", source)
    drawn_arrows = [path for path in drawn.iter(f"{SVG}path") if path.get("marker-end")]

    assert len(written) > 15
    assert written == lines - {""}
    assert len(drawn_arrows) == len(arrows)


def test_the_diagram_shows_every_package_that_is_imported(root):
    source = (root / "docs" / "images" / "architecture.mmd").read_text(encoding="utf-8")
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    packages = settings["tool"]["importlinter"]["root_packages"]

    drawn = re.findall(r"\b(\w+)/<br>", source)

    assert sorted(drawn) == sorted(packages)
