"""docs/data.md shows sentences as they really come out."""

from __future__ import annotations

import gzip
import re

import pytest

from churn.data import acquire, parse, read_raw
from churn.errors import InputError


@pytest.fixture(scope="module")
def shown(root) -> set[str]:
    """Every line of the page's examples of refusals."""
    page = (root / "docs" / "data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^    ```text\n(.*?)^    ```", page, re.DOTALL | re.MULTILINE)
    lines = {line.strip() for block in blocks for line in block.splitlines()}
    refused = re.findall(r"^refused: (.*)$", page, re.MULTILINE)
    return lines | set(refused)


@pytest.fixture(scope="module")
def happened(root, contract, tmp_path_factory) -> set[str]:
    """What is really said of 30 real customers, spoilt in as many ways."""
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()[:31]
    rows = [line.split(",") for line in lines]
    header, text = rows[0], "\n".join(lines)

    def csv(table: list[list[str]]) -> bytes:
        return "\n".join(",".join(row) for row in table).encode()

    def cells(value: str, column: str, *places: int) -> bytes:
        table = [list(row) for row in rows]
        for place in places:
            table[place][header.index(column)] = value
        return csv(table)

    contents = [
        csv([[c for c, n in zip(row, header, strict=True) if n != "Contract"] for row in rows]),
        csv([[c for c, n in zip(row, header, strict=True) if n != "TotalCharges"] for row in rows]),
        text.replace("MonthlyCharges", "monthly_charges").encode(),
        csv([[name.lower() for name in header], *rows[1:]]),
        csv([[str(place - 1) if place else "Unnamed: 0", *row] for place, row in enumerate(rows)]),
        text.replace("Contract", "Region", 1).encode(),
        csv([[*row, "1" if place else "Region"] for place, row in enumerate(rows)]),
        csv([[*row, "1" if place else "Contract"] for place, row in enumerate(rows)]),
        csv(rows[1:]),
        cells("Biennial", "Contract", 17),
        cells("Biennial", "Contract", 17, 20),
        cells("left", "Churn", *range(1, 31)),
        cells("NA", "Churn", 4),
        cells("a lot", "MonthlyCharges", 2),
        cells("inf", "MonthlyCharges", 2),
        cells("12.5", "tenure", 6),
        cells(" ", "TotalCharges", 8),
        cells("", "Churn", 4),
        cells("", "customerID", 2),
        b"",
        csv(rows[:1]),
        b"\x89PNG\r\n",
        b"PK\x03\x04 xl/workbook.xml",
        text.encode("utf-16"),
        text.replace("Mailed check", "Chèque", 1).encode("latin-1"),
        text.replace(",", ";").encode(),
        text.replace("Mailed check", "Mailed,check", 1).encode(),
        gzip.compress(text.encode())[:-20],
    ]
    said = set()
    for content, name in [*((each, "mine.csv") for each in contents), (b"PAR1", "mine.parquet")]:
        with pytest.raises(InputError) as caught:
            parse(read_raw(content, name)[0], contract)
        said.add(str(caught.value))
    nowhere = tmp_path_factory.mktemp("downloads")
    for url, sha256 in [
        ("https://example.org/telco.csv", None),
        ("http://example.org/telco.csv", "ab" * 32),
        ("postgresql://me:secret@host/shop?table=customers", None),
        ("postgresql://me@host/shop", None),
    ]:
        with pytest.raises(InputError) as caught:
            acquire(url, contract, root=root, sha256=sha256, cache=nowhere)
        said.add(str(caught.value))
    return said


def test_every_sentence_on_the_page_is_one_that_is_said(shown, happened):
    assert len(shown) > 20
    assert shown == happened


def test_the_page_describes_every_field_of_a_contract(root):
    from churn.contract import DataContract, Role

    page = (root / "docs" / "data.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[a-z0-9_]+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    schema = DataContract.model_json_schema()
    objects = [schema, *(part for part in schema["$defs"].values() if "properties" in part)]
    fields = {field for each in objects for field in each["properties"]}

    assert fields | {role.value for role in Role} <= words
