"""Files that are no table that is read here: what they are by their first bytes, and the way out."""

from __future__ import annotations

import codecs

from churn.errors import InputError

_ZIP = b"PK\x03\x04"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_EXPORT = "Export the table as CSV."
_CONVERT = "Write it as parquet or CSV, with pandas for example."
_FEATHER = "Write it as parquet: pandas.read_feather(FILE).to_parquet(NEW_FILE)."
_ORC = "Write it as parquet: pandas.read_orc(FILE).to_parquet(NEW_FILE)."
_SAVE = "Save the sheet as 'CSV UTF-8'."
_UNPACK = "Unpack it, and name the file in it."
_FOREIGN = (
    (b"\x89PNG", "a PNG picture", _EXPORT),
    (b"\xff\xd8\xff", "a JPEG picture", _EXPORT),
    (b"%PDF", "a PDF document", _EXPORT),
    (_ZIP, "a zip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _SAVE),
    (b"PAR1", "a parquet file", _UNPACK),
    (b"ARROW1", "an Arrow (Feather) file", _FEATHER),
    (b"FEA1", "a Feather file of version 1", _FEATHER),
    (b"\xff\xff\xff\xff", "an Arrow stream", _CONVERT),
    (b"ORC", "an ORC file", _ORC),
    (b"Obj\x01", "an Avro file", _CONVERT),
    (b"\x89HDF", "an HDF5 file", _CONVERT),
    (b"<stata_dta>", "a Stata file", _CONVERT),
    (b"$FL", "an SPSS file", _CONVERT),
    (b"RDX", "an R data file", _EXPORT),
    (b"\x93NUMPY", "a numpy array", _EXPORT),
    (b"\x80", "a Python pickle", _EXPORT),
    (b"SQLite format 3", "an SQLite database", _EXPORT),
    (b"\x04\x22\x4d\x18", "an lz4 file", _UNPACK),
    (b"version https://git-lfs", "a pointer of Git LFS", "Fetch the file with `git lfs pull`."),
    (b"<", "an HTML or XML page", _EXPORT),
    (b"{", "a JSON document", _EXPORT),
    (b"[", "a JSON document", _EXPORT),
)
_SHEETS = (
    (b"xl/workbook", "an Excel workbook"),
    (b"opendocument.spreadsheet", "an OpenDocument sheet"),
)
_TAR = slice(257, 262)


def require_csv(content: bytes, name: str) -> None:
    """Raises `InputError` if the bytes are of another kind of file, or text in UTF-16."""
    start = content[:64].removeprefix(codecs.BOM_UTF8).lstrip()
    for magic, kind, way_out in _FOREIGN:
        if start.startswith(magic):
            sheet = next((sheet for mark, sheet in _SHEETS if mark in content), "")
            if magic == _ZIP and sheet:
                raise InputError(f"{name} is {sheet}, not a CSV table. {_SAVE}")
            raise InputError(f"{name} is {kind}, not a CSV table. {way_out}")
    if content[_TAR] == b"ustar":
        raise InputError(f"{name} is a tar archive, not a CSV table. {_UNPACK}")
    # Without a mark, every other byte of its letters is zero.
    zeros = b"\0" * (len(start) // 2)
    if content.startswith(_UTF16) or (zeros and zeros in (start[1::2], start[::2])):
        raise InputError(f"{name} is text in UTF-16. Save it as UTF-8.")
