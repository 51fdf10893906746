"""Translates pip's configuration for uv.

No library does it: uv reads none of pip's files and variables.

A machine says in pip's files or `PIP_*` variables where packages come from: an index of its own,
a folder of wheels, a certificate. `for_uv` says the same in uv's variables. They travel in the
environment, not on a command line, because an index address may carry a password.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

# pip looks at its variables first, then at the command's own section, then at [global].
_SECTIONS = (":env:", "install", "global")


def parse(listing: str) -> dict[str, str]:
    """Reads what `pip config list` prints: option name -> the value that wins."""
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        key, equals, literal = line.partition("=")
        section, dot, option = key.rpartition(".")
        if not (equals and dot) or section not in _SECTIONS:
            continue
        try:
            value = str(ast.literal_eval(literal))
        except (SyntaxError, ValueError):
            continue
        rank = _SECTIONS.index(section)
        if option not in found or rank < found[option][0]:
            found[option] = (rank, value)
    return {option: value for option, (_, value) in found.items()}


def for_uv(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables uv needs to fetch what pip would; those already set are left alone."""
    variables: dict[str, str] = {}

    def hand_over(variable: str, values: Iterable[str], joiner: str = " ") -> None:
        text = joiner.join(values)
        if text and not environment.get(variable):
            variables[variable] = text

    hand_over("UV_DEFAULT_INDEX", settings.get("index-url", "").split())
    hand_over("UV_INDEX", settings.get("extra-index-url", "").split())
    hand_over("UV_FIND_LINKS", settings.get("find-links", "").split(), joiner=",")
    hand_over("UV_INSECURE_HOST", settings.get("trusted-host", "").split())
    hand_over(
        "UV_HTTP_TIMEOUT", settings.get("default-timeout", settings.get("timeout", "")).split()
    )
    hand_over("SSL_CERT_FILE", [settings.get("cert", "")])
    hand_over("SSL_CLIENT_CERT", [settings.get("client-cert", "")])
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        hand_over("UV_NO_INDEX", ["1"])
    proxy = settings.get("proxy", "")
    hand_over("HTTPS_PROXY", [proxy] if not environment.get("https_proxy") else [])
    # The default build of PyTorch brings CUDA along; its CPU build lies on an index of PyTorch's own,
    # which uv knows by this name. Where pip is configured with another source, packages come from there.
    own_places = ("index-url", "extra-index-url", "find-links", "no-index")
    if not any(settings.get(place) for place in own_places):
        hand_over("UV_TORCH_BACKEND", ["cpu"])
    # pip takes the best version of all its indexes; uv's default stops at the first that has any.
    hand_over("UV_INDEX_STRATEGY", ["unsafe-best-match"])
    return variables
