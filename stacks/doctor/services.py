"""Checks the servers of a stack: ZenML's, its secrets, the bucket, MLflow's, the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from churn.errors import ChurnError
from stacks.connectivity import get, require_bucket
from stacks.diagnosis import SECONDS, Diagnosis, network_reason
from stacks.server import require_server
from stacks.spec import OwnComponent, Server, StackSpec
from stacks.tracking import require_tracker, tracking_uri

_REFERENCE = re.compile(r"\{\{\s*([\w-]+)\.([\w-]+)\s*\}\}")
_DRIVER = re.compile(r"^\(\S+\) ")

Secrets = Mapping[str, Mapping[str, str]]


def check_server(spec: StackSpec) -> Iterator[Diagnosis]:
    """Checks ZenML's server and version, the secrets there, and the bucket that they open."""
    server = spec.server
    if server is None:
        return
    try:
        version = require_server(spec.name, server)
    except ChurnError as error:
        yield Diagnosis.from_error(
            "ZenML server", error, f"curl --fail {server.url.rstrip('/')}/health"
        )
        return
    yield Diagnosis("ZenML server", "fine", f"ZenML {version} at {server.url}, as here")
    secrets: dict[str, Mapping[str, str]] = {}
    for name, keys in spec.secrets.items():
        diagnosis, secrets[name] = _check_secret(server, name, keys)
        yield diagnosis
    yield from _check_bucket(spec, secrets)


def check_tracker(spec: StackSpec) -> Iterator[Diagnosis]:
    """Checks the MLflow database, or whether the server answers; a run checks its password."""
    uri = tracking_uri(spec)
    if uri is None:
        return
    if not uri.startswith(("http://", "https://")):
        try:
            require_tracker(str(spec.component_name("experiment_tracker")), uri)
        except ChurnError as error:
            yield Diagnosis.from_sentence("MLflow", error)
        return
    import httpx

    health = f"{uri.rstrip('/')}/health"
    try:
        get(health).raise_for_status()
    except (ConnectionError, httpx.HTTPError) as error:
        yield Diagnosis(
            "MLflow",
            "broken",
            f"{uri} does not answer as an MLflow server ({network_reason(error)})",
            f"curl --fail {health}",
        )
    else:
        yield Diagnosis("MLflow", "fine", f"{uri} answers")


def check_ledger(spec: StackSpec) -> Iterator[Diagnosis]:
    """Checks whether the ledger's database accepts the connection."""
    address = spec.places.ledger
    if not address or address.startswith("sqlite:"):
        return
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    remedy = "psql $STACK_LEDGER_URL --command 'SELECT 1'"
    try:
        shown = make_url(address).render_as_string(hide_password=True)
    except SQLAlchemyError:
        yield Diagnosis("ledger", "broken", "STACK_LEDGER_URL is no database address", remedy)
        return
    try:
        engine = create_engine(address, connect_args={"connect_timeout": int(SECONDS)})
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        engine.dispose()
    except (SQLAlchemyError, TypeError, OSError, ImportError) as error:
        # The first line is the driver's; SQLAlchemy's advice follows.
        first = _DRIVER.sub("", str(error).strip().splitlines()[0])[:160].rstrip(".")
        yield Diagnosis("ledger", "broken", f"{shown}: {first}", remedy)
    else:
        yield Diagnosis("ledger", "fine", f"{shown} accepts the connection")


def _check_secret(
    server: Server, name: str, keys: tuple[str, ...]
) -> tuple[Diagnosis, Mapping[str, str]]:
    import httpx

    try:
        with httpx.Client(base_url=f"{server.url.rstrip('/')}/api/v1", timeout=SECONDS) as client:
            login = client.post("/login", data={"password": server.api_key}).raise_for_status()
            client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
            query = {"name": f"equals:{name}", "hydrate": "true"}
            items = client.get("/secrets", params=query).raise_for_status().json()["items"]
            values: Mapping[str, str] = {}
            if items:
                secret = client.get(f"/secrets/{items[0]['id']}").raise_for_status().json()
                values = {k: str(v) for k, v in secret["body"]["values"].items() if v}
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Diagnosis("secret", "note", f"{name}: cannot be read ({network_reason(error)})"), {}
    missing = [key for key in keys if key not in values]
    options = " ".join(f"--{key}=..." for key in missing)
    if not items:
        command = f"zenml secret create {name} {options}"
        return Diagnosis("secret", "broken", f"{name} is not there", command), {}
    if missing:
        command = f"zenml secret update {name} {options}"
        return Diagnosis("secret", "broken", f"{name} lacks {', '.join(missing)}", command), values
    return Diagnosis("secret", "fine", f"{name} has all {len(keys)} keys"), values


def _check_bucket(spec: StackSpec, secrets: Secrets) -> Iterator[Diagnosis]:
    store = spec.components.get("artifact_store")
    if not isinstance(store, OwnComponent) or store.flavor != "s3":
        return
    configuration = _with_secrets(store.configuration, secrets)
    if _REFERENCE.search(str(configuration)):
        return  # the secret that opens it is missing, and diagnosed already
    bucket = str(configuration["path"]).removeprefix("s3://").split("/")[0]
    try:
        require_bucket(
            "The artifact store",
            bucket=bucket,
            key=configuration.get("key"),
            secret=configuration.get("secret"),
            **(configuration.get("client_kwargs") or {}),
        )
    except ChurnError as error:
        yield Diagnosis.from_error("bucket", error, f"aws s3api head-bucket --bucket {bucket}")
    else:
        yield Diagnosis("bucket", "fine", f"{bucket} exists, and the secret's keys open it")


def _with_secrets(document: Any, secrets: Secrets) -> Any:
    """Returns the document with the references to known secrets filled in."""
    if isinstance(document, dict):
        return {key: _with_secrets(each, secrets) for key, each in document.items()}
    if isinstance(document, str):
        return _REFERENCE.sub(lambda m: secrets.get(m[1], {}).get(m[2], m[0]), document)
    return document
