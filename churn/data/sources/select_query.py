"""Files with a query: one SELECT, and nothing that writes."""

from __future__ import annotations

import re
from pathlib import Path

from churn.data.intake.local import reason
from churn.errors import InputError

_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\$(\w*)\$.*?\$\1\$|\w+|\S",
    re.DOTALL,
)
_COMMENTS = ("--", "/*")
_READS = frozenset({"select", "with"})


def require_select(path: Path, shown: str) -> str:
    """The text of a file that holds a single SELECT, without the semicolon at its end.

    The database is told to read only, besides: this check is for a clear sentence.

    Args:
        path: The file.
        shown: What errors call the source.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The query file {path} of {shown} cannot be read: {reason(error)}. Name a text file "
            "with one SELECT."
        ) from None
    found = [each for each in _TOKEN.finditer(text) if not each[0].startswith(_COMMENTS)]
    while found and found[-1][0] == ";":
        found.pop()
    words = [each[0].casefold() for each in found]
    fault = _fault(words)
    if fault:
        raise InputError(f"The query file {path} {fault}. Write one SELECT into it.")
    return text[found[0].start() : found[-1].end()]


def _fault(words: list[str]) -> str | None:
    if not words:
        return "is empty"
    if ";" in words:
        return "has several statements"
    if words[0].lstrip("(") not in _READS and words[0] != "(":
        return f"begins with {words[0][:20]!r}, so it is no query"
    if "into" in words:
        return "has an INTO, so it writes"
    return None
