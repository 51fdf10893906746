"""Retired names stay retired: in code, comments, messages, tests and pages."""

import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

LIST = "tests/repo/retired_names.txt"
TEXT = {".md", ".toml", ".yaml", ".yml", ".j2", ".html", ".css", ".sh", ".mmd", ""}
ENTRY = re.compile(r"(word|name|part)  (\w+) +->  (.+?)(?:  except (.+))?")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True)
class Retired:
    """A line of the list: the word, where it may not stand, and what to write instead."""

    scope: str
    word: str
    instead: str
    exceptions: tuple[str, ...]


def read_list(text: str) -> list[Retired]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    matches = [ENTRY.fullmatch(line) for line in lines]
    unreadable = [line for line, match in zip(lines, matches, strict=True) if match is None]
    assert unreadable == []
    return [
        Retired(match[1], match[2], match[3], tuple((match[4] or "").split()))
        for match in matches
        if match
    ]


def words(text: str) -> Iterator[str]:
    """The words of a text or a name, in small letters: `DataContract.of_row` has four."""
    return (word.lower() for word in WORD.findall(text))


def names(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every name in Python source."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def offences(path: str, text: str, retired: list[Retired]) -> list[str]:
    """Where a text has a retired word, each as `path:line word -> what to write instead`."""
    known = [entry for entry in retired if path not in entry.exceptions]
    anywhere = {entry.word: entry for entry in known if entry.scope == "word"}
    whole = {entry.word: entry for entry in known if entry.scope == "name"}
    parts = {entry.word: entry for entry in known if entry.scope == "part"}
    hits = [
        (number, anywhere[word])
        for number, line in enumerate([path, *text.splitlines()])
        for word in words(line)
        if word in anywhere
    ]
    if path.endswith(".py"):
        for number, name in names(text):
            bare = name.strip("_")
            hits += [(number, whole[form]) for form in {bare, bare.lower()} if form in whole]
            hits += [(number, parts[word]) for word in words(name) if word in parts]
    return [f"{path}:{number} {entry.word} -> {entry.instead}" for number, entry in hits]


@pytest.fixture(scope="module")
def retired(root: Path) -> list[Retired]:
    return read_list((root / LIST).read_text(encoding="utf-8"))


def test_no_retired_name_comes_back(root, retired):
    git = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(git, capture_output=True, text=True, check=True).stdout.splitlines()
    texts = {
        file: (root / file).read_text(encoding="utf-8")
        for file in files
        if Path(file).suffix in TEXT | {".py"} and file != LIST and (root / file).is_file()
    }

    hits = [each for path, text in texts.items() for each in offences(path, text, retired)]

    assert len(texts) > 400
    assert hits == []


def test_the_list_names_each_word_once_and_every_exception_exists(root, retired):
    entries = [(entry.scope, entry.word) for entry in retired]
    exceptions = {path for entry in retired for path in entry.exceptions}

    assert len(entries) > 20
    assert len(set(entries)) == len(entries)
    assert [path for path in exceptions if not (root / path).is_file()] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("churn/one.py", "# the portal of the service\n"),
        ("churn/one.py", "class OnePortal: ...\n"),
        ("churn/portal.py", ""),
        ("docs/one.md", "The Portal is open."),
        ("churn/one.py", "x = asked.one\n"),
        ("churn/one.py", "def f(_asked): ...\n"),
        ("churn/one.py", "def un_told_of(): ...\n"),
        ("churn/one.py", "class Cuts: ...\n"),
    ],
)
def test_a_planted_word_is_caught(path, text):
    planted = [
        Retired("word", "portal", "command line", ()),
        Retired("name", "asked", "requested", ()),
        Retired("name", "Cuts", "Cutoffs", ()),
        Retired("part", "told", "reported", ()),
    ]

    assert len(offences(path, text, planted)) == 1


def test_a_sentence_may_use_a_word_that_is_only_retired_as_a_name():
    planted = [Retired("name", "asked", "requested", ()), Retired("word", "portal", "", ("a.md",))]

    assert offences("churn/one.py", "# nobody asked, on portals\nbasked = 1\n", planted) == []
    assert offences("a.md", "The portal of a hall.", planted) == []
