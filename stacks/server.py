"""Connects a process to the ZenML server that its stack lives on, and no other process.

A server is named by the environment alone, under a ZenML configuration of the stack's own: what
the user is logged in to, and the stack set active there, stay as they are.
"""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

from churn.errors import ChurnError, InputError, error_reason
from stacks.spec import Server, StackSpec

_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 30.0  # a busy server checks a key for seconds


def connect(spec: StackSpec, state: Path) -> None:
    """Makes the stack's server the one that this process talks to; nothing where it has none.

    Args:
        spec: The stack, its placeholders filled in.
        state: Absolute folder that holds this stack's ZenML configuration, where ZenML's client keeps the
            key, too: it is made for this user alone.

    Raises:
        ChurnError: the server does not answer, or is no ZenML server of this version.
        InputError: it refuses the key.
    """
    server = spec.server
    if server is None:
        return
    url = server.url.rstrip("/")
    if "zenml.client" in sys.modules and os.environ.get("ZENML_STORE_URL") != url:
        raise ChurnError(
            f"This process has talked to another ZenML than {url} already; run what is meant for "
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
    """Asks a stack's server who it is and whether the key is good; returns its version.

    Raises:
        ChurnError: it does not answer, or its version does not fit.
        InputError: the address or the key is wrong.
    """
    import httpx

    url = server.url.rstrip("/")
    here = f"The ZenML server of stack '{stack}' at {url}"
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{here} is not an http:// or https:// address; correct the variable.")
    try:
        with httpx.Client(
            base_url=url, timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        ) as client:
            answer = client.get("/api/v1/info")
            answer.raise_for_status()
            version = str(answer.json()["version"])
            login = client.post("/api/v1/login", data={"password": server.api_key})
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        reason = error_reason(error)
        raise ChurnError(
            f"{here} does not answer as one ({reason}); start it, or correct the address."
        ) from error
    ours = metadata.version("zenml")
    if version.split(".")[:2] != ours.split(".")[:2]:
        raise ChurnError(
            f"{here} runs ZenML {version}, and this project {ours}; bring both to one version."
        )
    if not login.is_success:
        raise InputError(
            f"{here} refuses the API key ({login.status_code}); make one with "
            "`zenml service-account create NAME` on that server and export it."
        )
    return version
