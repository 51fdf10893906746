"""Addresses of tables in databases: what they name, and where their passwords come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from churn.data.sources.select_query import require_select
from churn.errors import InputError

PASSWORD_VARIABLES = {"postgresql": "PGPASSWORD", "mysql": "MYSQL_PWD", "mariadb": "MYSQL_PWD"}
"""Where the database's own programs look for a password."""
_DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql", "postgres": "postgresql"}
_PLACEHOLDER = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)\}")
_SUBSTITUTE = "churnplaceholder{}end"
_SECRET_OPTIONS = frozenset({"password", "passwd", "sslpassword"})
_OWN_OPTIONS = ("table", "query", "order_by")


@dataclass(frozen=True)
class SqlAddress:
    """A database and a table or query in it.

    Attributes:
        url: The database's address, complete with what the environment holds.
        shown: The address without user, password and options.
        table: Name of the table, maybe behind a schema's and a point; None for a query.
        query: A SELECT; None for a table.
        order_by: Columns of the table to order its rows by.
    """

    url: URL
    shown: str
    table: str | None
    query: str | None
    order_by: tuple[str, ...] = ()

    @property
    def backend(self) -> str:
        """The kind of database, `postgresql` for example."""
        return self.url.get_backend_name()


def sql_address(address: str, environment: Mapping[str, str] = os.environ) -> SqlAddress:
    """Takes a database's address apart.

    Args:
        address: As SQLAlchemy writes it, with ?table=NAME or ?query=FILE. `${env:NAME}` in it stands
            for a variable of the environment.
        environment: The environment's variables.

    Raises:
        InputError: it names no table, holds a password, or asks for what the environment lacks.
    """
    scheme = address.partition(":")[0]
    names: list[str] = []

    def substitute(found: re.Match[str]) -> str:
        names.append(found[1])
        return _SUBSTITUTE.format(len(names) - 1)

    plain = _PLACEHOLDER.sub(substitute, address)
    plain = _DRIVERS.get(scheme, scheme) + plain.removeprefix(scheme)
    try:
        parsed = make_url(plain)
    except (ArgumentError, ValueError):
        # Nothing of the text is repeated: what cannot be parsed may be a password.
        raise InputError(
            f"{scheme}://… is no database address. Write it like "
            f"{scheme}://user@host/database?table=customers."
        ) from None
    _require_no_password(parsed, scheme, {_SUBSTITUTE.format(place) for place in range(len(names))})
    options = dict(parsed.normalized_query)
    table, query, order_by = ((options.pop(each, ("",))[0]) for each in _OWN_OPTIONS)
    fill = {_SUBSTITUTE.format(place): name for place, name in enumerate(names)}
    url = _filled(parsed.set(query=options), fill, environment, scheme)
    shown = _shown(parsed, scheme, table, query)
    for stood_in, name in fill.items():
        shown = shown.replace(stood_in, f"${{env:{name}}}")
    if bool(table) == bool(query):
        raise InputError(
            f"{shown} names {'both a table and a query' if table else 'no table'}. End it with "
            "?table=NAME or with ?query=FILE, a file with one SELECT."
        )
    text = require_select(Path(query).expanduser(), shown) if query else None
    columns = tuple(filter(None, order_by.split(",")))
    return SqlAddress(url, shown, table or None, text, columns)


def _require_no_password(url: URL, scheme: str, substitutes: set[str]) -> None:
    secrets = [str(url.password)] if url.password else []
    for option, values in url.normalized_query.items():
        if option.casefold() in _SECRET_OPTIONS:
            secrets += values
    if url.host and "@" in url.host:  # the rest of a password with an @ in it
        secrets.append(url.host)
    if not set(secrets) <= substitutes:
        variable = PASSWORD_VARIABLES.get(scheme.partition("+")[0], "a variable")
        raise InputError(
            f"{scheme}://… has a password in it, which would be stored and shown. Leave it out and set "
            f"{variable}, or write ${{env:NAME}} for it and set that variable."
        )


def _filled(url: URL, fill: Mapping[str, str], environment: Mapping[str, str], scheme: str) -> URL:
    """The address with the environment's values for what stands in for them."""

    def value(text: str | None) -> str | None:
        for stood_in, name in fill.items():
            if text and stood_in in text:
                if not environment.get(name):
                    raise InputError(
                        f"{scheme}://… asks for the variable {name}, which the environment lacks. "
                        "Set it, or name the right one."
                    )
                text = text.replace(stood_in, environment[name])
        return text

    password = value(None if url.password is None else str(url.password))
    backend = url.get_backend_name()
    if password is None and backend in ("mysql", "mariadb"):  # libpq looks for its own
        password = environment.get(PASSWORD_VARIABLES[backend])
    options = {name: str(value(values[0])) for name, values in url.normalized_query.items()}
    return URL.create(
        url.drivername, value(url.username), password, value(url.host), url.port,
        value(url.database), options,
    )  # fmt: skip


def _shown(url: URL, scheme: str, table: str, query: str) -> str:
    host = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    what = f"?table={table}" if table else f"?query={query}" if query else ""
    return f"{scheme}://{host}/{url.database or ''}{what}"
