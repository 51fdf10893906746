"""Addresses of tables: which are fetched, and what the others are."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from churn.errors import InputError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_BUCKETS = frozenset(
    [
        "s3",
        "s3a",
        "s3n",
        "gs",
        "gcs",
        "az",
        "abfs",
        "abfss",
        "adl",
        "wasb",
        "wasbs",
        "oss",
        "oci",
        "r2",
        "hdfs",
        "webhdfs",
        "dbfs",
        "swift",
        "memory",
    ]
)
_NOT_SQL = frozenset({"mongodb", "mongodb+srv", "jdbc", "odbc"})
_HERE = frozenset({"file", "memory", "sqlite", "duckdb", "http"})
_DATABASES = frozenset(
    [
        "postgresql",
        "postgres",
        "mysql",
        "mariadb",
        "mssql",
        "oracle",
        "sqlite",
        "duckdb",
        "snowflake",
        "bigquery",
        "redshift",
        "databricks",
        "trino",
        "presto",
        "hive",
        "clickhouse",
        "mongodb",
        "mongodb+srv",
        "jdbc",
        "odbc",
    ]
)


def is_url(location: str) -> bool:
    """Whether a location is an address rather than a path."""
    return "://" in location or location.casefold().startswith("generated:")


def is_bucket(scheme: str) -> bool:
    """Whether a scheme is one of a store of files that fsspec reads."""
    return scheme in _BUCKETS


def is_sql(scheme: str) -> bool:
    """Whether a scheme is that of a database that SQLAlchemy may read."""
    return _is_database(scheme) and scheme not in _NOT_SQL


def is_on_this_machine(location: str) -> bool:
    """Whether a location is read from this machine alone: a path, a file, or a server here."""
    scheme = location.partition(":")[0].casefold()
    return not is_url(location) or scheme.partition("+")[0] in _HERE


def public(url: str) -> str:
    """The address as it may be shown and stored: no credentials, no query, no fragment."""
    scheme = url.partition(":")[0]
    if _is_database(scheme.casefold()):
        return f"{scheme}://…"  # a password may hold any character
    try:
        parts = urlsplit(url)
    except ValueError:
        return "The address"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def path_of(url: str) -> Path | None:
    """The path that a file:// address names; None for any other address.

    Raises:
        InputError: the address names another machine.
    """
    if not url.casefold().startswith("file://"):
        return None
    parts = urlsplit(url)
    if parts.netloc not in ("", *LOOPBACK):
        raise InputError(
            f"{public(url)} names the machine '{parts.netloc}'. Write three slashes before a path of "
            "this machine, as in file:///data/customers.csv."
        )
    return Path(unquote(parts.path))


def require_allowed(url: str) -> None:
    """Raises `InputError` if an address is not one that is fetched, and says what it is."""
    from httpx import InvalidURL  # which loads much that few addresses need

    name, scheme = public(url), url.partition(":")[0].casefold()
    way_out = "Use https, or download the file and name its path."
    if _is_database(scheme):
        way_out = "It names a database: export the customers as CSV or parquet and name the file."
    try:
        allowed = is_allowed(url)
    except (ValueError, InvalidURL):
        allowed = False
        if scheme in ("http", "https"):
            raise InputError(f"{name} is no valid address. Check how it is written.") from None
    if not allowed:
        raise InputError(f"{name} is not an https address, and no other is fetched. {way_out}")


def is_allowed(url: str) -> bool:
    """Whether an address is https, or http to this machine itself."""
    from httpx import URL

    urlsplit(url)  # stricter than what follows about brackets
    parts = URL(url)
    return bool(parts.host) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.host in LOOPBACK)
    )


def _is_database(scheme: str) -> bool:
    """Whether a scheme is a database's, with or without the driver that SQLAlchemy names."""
    return scheme in _DATABASES or scheme.partition("+")[0] in _DATABASES
