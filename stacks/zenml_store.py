"""Opens ZenML's store, after checking what the environment says about it.

ZenML keeps its configuration, database and artifacts in `zenml` of the state folder, unless
ZENML_CONFIG_PATH names another folder. It is imported only then: it reads that variable when it is
imported, retries a server for half a minute, and changes a database of an older version.
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
_STORES = "ZENML_LOCAL_STORES_PATH"
_OTHER_PLACES = (_FOLDER, _STORES, _URL)
_LEFT_BY_RUNS = ("production/current.json", "production/*/current.json", "mlflow.db")
_MYSQL_PORT = 3306
_CONNECT_SECONDS = 5.0
_ACTIVE = {"ZENML_ACTIVE_PROJECT_ID": "project", "ZENML_ACTIVE_STACK_ID": "stack"}


_chosen: set[str] = set()
"""What this process itself, and not its environment, has set ZENML_CONFIG_PATH to."""


def open_zenml(state: Path) -> Client:
    """Returns ZenML's client, its store opened.

    Args:
        state: Absolute folder that keeps everything of this project.

    Raises:
        InputError: a variable, ZenML's folder or its database is at fault.
        ChurnError: the store's server does not answer, ZenML cannot use it, or this process has
            opened the one of another state folder.
    """
    url, remedy = require_store(state)
    choose_folder(state)
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


def choose_folder(state: Path) -> None:
    """Makes this process, and those that it starts, find the ZenML of a state folder.

    Raises:
        ChurnError: this process has chosen the one of another state folder before.
    """
    folder = str(zenml_folder(state))
    if folder in _chosen and folder != str(_own_folder(state)):
        raise ChurnError(
            f"This process has opened ZenML in {folder} already; run what keeps its state in {state} "
            "in a process of its own."
        )
    if not os.environ.get(_FOLDER):
        os.environ[_FOLDER] = folder
        _chosen.add(folder)


def zenml_folder(state: Path) -> Path:
    """Returns the folder of ZenML's configuration: ZENML_CONFIG_PATH, else `zenml` of the state folder."""
    named = os.environ.get(_FOLDER)
    return Path(named).resolve() if named else _own_folder(state)


def named_elsewhere(state: Path) -> str:
    """Returns which variables keep ZenML's state out of the state folder, and where; '' for none."""
    named = {name: os.environ.get(name, "") for name in _OTHER_PLACES}
    if zenml_folder(state) == _own_folder(state):
        named.pop(_FOLDER)
    return ", ".join(f"{name}={without_password(value)}" for name, value in named.items() if value)


def require_store(state: Path) -> tuple[str, str]:
    """Checks ZenML's folder and store without ZenML; returns the store's URL, and how to change it.

    Raises:
        InputError: a variable, the folder or the database is at fault.
        ChurnError: the store's server does not answer.
    """
    folder = zenml_folder(state)
    require_writable(folder, f"make it writable, or {_ANOTHER_FOLDER}")
    _require_registry(state, folder)
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


def _require_registry(state: Path, folder: Path) -> None:
    """Refuses a state folder whose models are registered in another ZenML than its own.

    Versions before kept the registry in ZenML's own folder. A new one would count from 1 again, and
    meet the bundles and the tracked runs of the first versions.
    """
    if folder != _own_folder(state) or (folder / "config.yaml").exists():
        return
    left = next((each for name in _LEFT_BY_RUNS for each in state.glob(name)), None)
    if left is not None:
        raise InputError(
            f"The state folder {state} has {left.relative_to(state)}, and the ZenML that its models are registered in "
            "lies elsewhere; go on there with `export ZENML_CONFIG_PATH=FOLDER` (in versions before "
            f"it was {_usual_folder()}), or start anew in another folder, with CHURN_HOME or --set "
            "output.folder=PATH."
        )


def _usual_folder() -> str:
    import click

    return click.get_app_dir("zenml")


def _own_folder(state: Path) -> Path:
    return (state / "zenml").resolve()


def _store(folder: Path) -> tuple[str, str]:
    """Returns the store's URL as ZenML finds it, and how to change it."""
    if _URL in os.environ:
        return os.environ[_URL], f"correct {_URL} or unset it"
    if _TYPE in os.environ:
        raise InputError(f"{_TYPE} is set and {_URL} is not; set both, or unset it.")
    named = _named_in(folder / "config.yaml")
    if named:
        return named, f"correct {folder / 'config.yaml'}, or {_ANOTHER_FOLDER}"
    stores = os.environ.get(_STORES) or folder / "local_stores"
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
