"""Opens ZenML's store, after checking what the environment says about it.

ZenML is imported only then: it reads its configuration folder when it is imported, retries a server
for half a minute, and changes a database of an older version.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from churn.errors import ChurnError, InputError, error_reason
from churn.writable import require_writable
from stacks.connectivity import without_password
from stacks.library_database import ZENML, require_database
from stacks.server import require_version

if TYPE_CHECKING:
    from zenml.client import Client

_URL, _TYPE, _FOLDER = "ZENML_STORE_URL", "ZENML_STORE_TYPE", "ZENML_CONFIG_PATH"
_ANOTHER_FOLDER = f"name another folder with {_FOLDER}"
_MYSQL_PORT = 3306
_CONNECT_SECONDS = 5.0
_ACTIVE = {"ZENML_ACTIVE_PROJECT_ID": "project", "ZENML_ACTIVE_STACK_ID": "stack"}


def open_zenml() -> Client:
    """Returns ZenML's client, its store opened.

    Raises:
        InputError: a variable, ZenML's folder or its database is at fault.
        ChurnError: the store's server does not answer, or ZenML cannot use it.
    """
    url, remedy = require_store()
    try:
        from zenml.client import Client

        client = Client()
        _ = client.zen_store
    except Exception as error:  # ZenML has many, of its own and of its libraries
        raise ChurnError(
            f"ZenML cannot open its store {without_password(url)}: "
            f"{error_reason(error, longest=300)}; {remedy}."
        ) from error
    _require_active(client)
    return client


def require_store() -> tuple[str, str]:
    """Checks ZenML's folder and store without ZenML; returns the store's URL, and how to change it.

    Raises:
        InputError: a variable, the folder or the database is at fault.
        ChurnError: the store's server does not answer.
    """
    folder = _folder()
    require_writable(folder, f"make it writable, or {_ANOTHER_FOLDER}")
    url, remedy = _store(folder)
    scheme = url.partition("://")[0]
    if scheme in {"http", "https"}:
        require_version(f"The ZenML server at {without_password(url)}", url, remedy)
    elif scheme == "mysql":
        _require_mysql(url, remedy)
    elif url.startswith("sqlite:///"):
        require_database(ZENML, Path(url.removeprefix("sqlite:///")), remedy)
    else:
        raise InputError(
            f"{_URL} is '{without_password(url)}', which is no address of a ZenML store (sqlite:///FILE, "
            f"mysql://HOST/DATABASE or https://HOST); {remedy}."
        )
    return url, remedy


def _folder() -> Path:
    import click

    return Path(os.environ.get(_FOLDER) or click.get_app_dir("zenml")).resolve()


def _store(folder: Path) -> tuple[str, str]:
    """Returns the store's URL as ZenML finds it, and how to change it."""
    if _URL in os.environ:
        return os.environ[_URL], f"correct {_URL} or unset it"
    if _TYPE in os.environ:
        raise InputError(f"{_TYPE} is set and {_URL} is not; set both, or unset it.")
    named = _named_in(folder / "config.yaml")
    if named:
        return named, f"correct {folder / 'config.yaml'}, or {_ANOTHER_FOLDER}"
    stores = os.environ.get("ZENML_LOCAL_STORES_PATH") or folder / "local_stores"
    return f"sqlite:///{Path(stores, 'default_zen_store', 'zenml.db')}", _ANOTHER_FOLDER


def _named_in(configuration: Path) -> str:
    import yaml

    try:
        store = (yaml.safe_load(configuration.read_bytes()) or {}).get("store") or {}
        return str(store.get("url") or "")
    except FileNotFoundError:
        return ""
    except (OSError, yaml.YAMLError, AttributeError, UnicodeDecodeError) as error:
        raise InputError(
            f"ZenML's configuration {configuration} cannot be read ({error_reason(error)}); restore "
            f"or delete it, or {_ANOTHER_FOLDER}."
        ) from None


def _require_mysql(url: str, remedy: str) -> None:
    shown = without_password(url)
    try:
        parts = urlsplit(url)
        address = (parts.hostname or "", parts.port or _MYSQL_PORT)
        socket.create_connection(address, timeout=_CONNECT_SECONDS).close()
    except ValueError as error:
        raise InputError(f"{shown} is no address ({error_reason(error)}); {remedy}.") from None
    except OSError as error:
        raise ChurnError(
            f"ZenML's database {shown} does not answer ({error_reason(error)}); start it, or {remedy}."
        ) from None


def _require_active(client: Client) -> None:
    """Checks the project and the stack that variables make active."""
    for variable, kind in _ACTIVE.items():
        if variable not in os.environ:
            continue
        try:
            getattr(client, f"active_{kind}" if kind == "project" else "active_stack_model")
        except (KeyError, ValueError, RuntimeError) as error:
            raise InputError(
                f"{variable} names a {kind} that ZenML does not have ({error_reason(error)}); unset "
                "it."
            ) from None
