"""A drafted contract as the text of its file, with what a person has to do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_HEAD = """\
# Drafted from {file}; guesses are marked `confirm`. Read them, correct the column where the answer is
# no, and delete the line. `python run.py contract check` lists what is open; docs/data.md has
# a table of all fields. A table may hold the columns under left_out; nobody reads them.
#
# Worth adding to a column, for reasons and offers in words:
#   meaning: Term of the current contract
#   unit: USD per month
#   actionable: true                         # the business can change it
#   phrases: [Pays month to month, Has a one-year contract]     # one for each category, in order
#   phrase: "Is a {{value}}-month customer"    # of a number
#   offers: {{One year: a one-year contract}}  # what may be proposed, in words after "with"
#   prices: [0, 20]                          # what each category adds to the monthly bill
"""
_SNAPSHOT = """
# Uncomment to compare every new table with this one, and to read it as `bundled`:
# snapshot: {{path: {path}, sha256: "{sha256}"}}
"""


def contract_text(content: Mapping[str, Any], file: str, sha256: str) -> str:
    """The file's text.

    Args:
        content: What it says.
        file: The table that it was drafted from.
        sha256: That table's checksum.
    """
    lines = [_HEAD.format(file=json.dumps(file, ensure_ascii=False))]
    for key, value in content.items():
        if key == "columns":
            lines.append("\ncolumns:\n" + "\n".join(map(_column, value)) + "\n")
        elif isinstance(value, Mapping):
            fields = "".join(f"  {_plain(each)}: {_plain(value[each])}\n" for each in value)
            lines.append(f"{'' if key == 'left_out' else chr(10)}{key}:\n{fields}")
        else:
            lines.append(f"{key}: {_plain(value)}\n")
    snapshot = _SNAPSHOT.format(path=json.dumps(file, ensure_ascii=False), sha256=sha256)
    return "".join(lines) + snapshot


def _column(column: Mapping[str, Any]) -> str:
    fields = [f"{_plain(key)}: {_plain(value)}" for key, value in column.items()]
    return "  - " + "\n    ".join(fields)


def _plain(value: Any) -> str:
    """A value of YAML on one line."""
    import yaml

    text: str = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=float("inf")
    )
    return text.strip().removesuffix("...").strip()
