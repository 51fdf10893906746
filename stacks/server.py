"""Connects this process alone to the ZenML server of its stack.

The connection is set by environment variables, with a ZenML configuration folder of the stack's
own: the server that the user is logged in to, and the active stack there, stay as they are.
"""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

from churn.errors import ChurnError, InputError, error_reason
from stacks.connectivity import get
from stacks.spec import Server, StackSpec

_LOGIN_SECONDS = 30.0  # a busy server checks a key for seconds


def connect(spec: StackSpec, state: Path) -> None:
    """Connects this process to the stack's server; does nothing for a stack without one.

    Args:
        spec: The stack, its placeholders filled in.
        state: Absolute folder for ZenML's configuration, key included: only this user can read it.

    Raises:
        ChurnError: the server does not answer, or is no ZenML server of this version.
        InputError: it refuses the API key.
    """
    server = spec.server
    if server is None:
        return
    url = server.url.rstrip("/")
    if "zenml.client" in sys.modules and os.environ.get("ZENML_STORE_URL") != url:
        raise ChurnError(
            f"This process is connected to another ZenML than {url} already; run what is meant for "
            f"stack '{spec.name}' in a process of its own."
        )
    require_server(spec.name, server)
    folder = state / "zenml" / spec.name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ.update(
        ZENML_CONFIG_PATH=str(folder),
        ZENML_STORE_TYPE="rest",
        ZENML_STORE_URL=url,
        ZENML_STORE_API_KEY=server.api_key,
    )


def require_server(stack: str, server: Server) -> str:
    """Checks a stack's server and its API key; returns the server's ZenML version.

    Raises:
        ChurnError: it does not answer, or has another minor version than this project.
        InputError: the address or the key is wrong.
    """
    import httpx

    url = server.url.rstrip("/")
    here = f"The ZenML server of stack '{stack}' at {url}"
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{here} is not an http:// or https:// address; correct the variable.")
    version = require_version(here, url, "correct the address")
    try:
        login = httpx.post(
            f"{url}/api/v1/login", data={"password": server.api_key}, timeout=_LOGIN_SECONDS
        )
    except httpx.HTTPError as error:
        raise _no_answer(here, error, "correct the address") from error
    if not login.is_success:
        raise InputError(
            f"{here} refuses the API key ({login.status_code}); make one with "
            "`zenml service-account create NAME` on that server and export it."
        )
    return version


def require_version(here: str, url: str, remedy: str) -> str:
    """Checks that a ZenML server of this project's minor version answers; returns its version.

    Args:
        here: What it is and where; begins the error's sentence.
        url: Its address.
        remedy: What to do to use another one; ends the error's sentence.

    Raises:
        ChurnError: it does not.
    """
    import httpx

    try:
        answer = get(f"{url.rstrip('/')}/api/v1/info")
        version = str(answer.raise_for_status().json()["version"])
    except (ConnectionError, httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise _no_answer(here, error, remedy) from error
    ours = metadata.version("zenml")
    if version.split(".")[:2] != ours.split(".")[:2]:
        raise ChurnError(
            f"{here} runs ZenML {version}, and this project {ours}; bring both to one version, or "
            f"{remedy}."
        )
    return version


def _no_answer(here: str, error: Exception, remedy: str) -> ChurnError:
    return ChurnError(
        f"{here} does not answer as one ({error_reason(error)}); start it, or {remedy}."
    )
