"""Servers of the cloud stack: an S3 bucket, ZenML's server and MLflow's, all real."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.servers.databases import MariaDb
from tests.servers.process import TIMEOUT, Server, empty_folder, free_port

BUCKET = "churn"
KEY, SECRET = "churn-key", "churn-secret"
_PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Bucket:
    """An S3 server with one bucket."""

    endpoint: str
    server: Server

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to reach it, by the names that AWS gave these."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def files(self, prefix: str = "") -> list[str]:
        """What lies in the bucket below a prefix, sorted."""
        pages = (
            self._client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        )
        return sorted(each["Key"] for page in pages for each in page.get("Contents", ()))

    def put(self, key: str, file: Path) -> None:
        """Uploads a file."""
        self._client().upload_file(str(file), BUCKET, key)

    def _client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )


@contextmanager
def bucket() -> Iterator[Bucket]:
    """An S3 server with an empty bucket."""
    with empty_folder(None) as folder:
        port = free_port()
        server = Server(
            "the S3 server",
            [str(_PROGRAMS / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
            folder / "log",
        )
        made = Bucket(f"http://127.0.0.1:{port}", server)
        try:
            server.wait(lambda: _answers(f"{made.endpoint}/moto-api/"))
            httpx.put(f"{made.endpoint}/{BUCKET}", timeout=30).raise_for_status()
            yield made
        finally:
            server.stop()


@dataclass(frozen=True)
class Web:
    """A web service."""

    url: str
    server: Server


@dataclass(frozen=True)
class Tracking(Web):
    """An MLflow server behind a password."""

    user: str
    password: str


@contextmanager
def mlflow_server(database: str, bucket: Bucket) -> Iterator[Tracking]:
    """MLflow on a database, handing files to the bucket itself: clients need no keys for it."""
    with empty_folder(None) as folder:
        port = free_port()
        server = Server(
            "MLflow",
            [
                str(_PROGRAMS / "mlflow"), "server", "--host=127.0.0.1", f"--port={port}",
                f"--backend-store-uri={database}", "--serve-artifacts", "--workers=1",
                f"--artifacts-destination=s3://{BUCKET}/mlflow",
            ],
            folder / "log",
            environment={
                **bucket.environment,
                "MLFLOW_S3_ENDPOINT_URL": bucket.endpoint,
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            },
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            with _password_proxy(url, folder) as proxy:
                server.wait(lambda: _answers(f"{url}/health"))
                yield Tracking(proxy.url, server, proxy.user, proxy.password)
        finally:
            server.stop()


@contextmanager
def _password_proxy(behind: str, folder: Path) -> Iterator[Tracking]:
    port, user, password = free_port(), "churn", secrets.token_hex(8)
    server = Server(
        "the password proxy",
        [
            sys.executable, "-m", "uvicorn", "password_proxy:app", "--host=127.0.0.1",
            f"--port={port}", f"--app-dir={Path(__file__).parent}", "--log-level=warning",
        ],
        folder / "proxy-log",
        environment={"PROXY_BEHIND": behind, "PROXY_USER": user, "PROXY_PASSWORD": password},
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        server.wait(lambda: _listens(url))
        yield Tracking(url, server, user, password)
    finally:
        server.stop()


@dataclass(frozen=True)
class ZenServer(Web):
    """A ZenML server with authentication on, and the key of a service account there."""

    api_key: str = ""


@contextmanager
def zenml_server(database: MariaDb) -> Iterator[ZenServer]:
    """ZenML's server, activated with an administrator, and a service account for clients."""
    with empty_folder(None) as folder:
        port, password = free_port(), secrets.token_hex(8)
        url = f"http://127.0.0.1:{port}"
        server = Server(
            "the ZenML server",
            [
                sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app",
                "--host=127.0.0.1", f"--port={port}", "--log-level=warning", "--no-server-header",
            ],
            folder / "log",
            environment={
                "ZENML_CONFIG_PATH": str(folder / "config"),
                "ZENML_ANALYTICS_OPT_IN": "false",
                "ZENML_SERVER": "true",
                "ZENML_STORE_URL": database.url,
                "ZENML_STORE_TYPE": "sql",
                "ZENML_STORE_BACKUP_STRATEGY": "disabled",
                "ZENML_SERVER_AUTH_SCHEME": "OAUTH2_PASSWORD_BEARER",
                "ZENML_SERVER_JWT_SECRET_KEY": secrets.token_hex(32),
                "ZENML_SERVER_DEPLOYMENT_TYPE": "other",
            },
        )  # fmt: skip
        try:
            server.wait(lambda: _answers(f"{url}/health"))
            yield ZenServer(url, server, _service_account(url, password))
        finally:
            server.stop()


def _service_account(url: str, password: str) -> str:
    """Activates a fresh server, and gives the key of a new service account."""
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as client:
        admin = {"admin_username": "admin", "admin_password": password}
        _ok(client.put("/activate", json={"server_name": "churn", **admin}))
        login = _ok(client.post("/login", data={"username": "admin", "password": password}))
        client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        account = {"name": "churn-platform", "description": "runs pipelines", "active": True}
        made = _ok(client.post("/service_accounts", json=account)).json()
        key = {"name": "default", "description": "", "expires_in": None}
        answer = _ok(client.post(f"/service_accounts/{made['id']}/api_keys", json=key))
        return str(answer.json()["body"]["key"])


def cloud_environment(zenml: ZenServer, bucket: Bucket, mlflow: str, ledger: str) -> dict[str, str]:
    """What the stack `cloud` finds its servers by, as somebody exports it."""
    return {
        "STACK_ZENML_URL": zenml.url,
        "STACK_ZENML_API_KEY": zenml.api_key,
        "STACK_BUCKET": BUCKET,
        "STACK_MLFLOW_URL": mlflow,
        "STACK_LEDGER_URL": ledger,
        **bucket.environment,
    }


def make_secret(
    environment: Mapping[str, str], *, mlflow_password: str, webhook: str = "http://127.0.0.1:9"
) -> None:
    """Makes the stack's secret with ZenML's own command, on the server that it lives on."""
    values = {
        "s3_key": KEY,
        "s3_secret": SECRET,
        "mlflow_password": mlflow_password,
        "webhook_url": webhook,
        "webhook_secret": "secret",
    }
    command = [str(_PROGRAMS / "zenml"), "secret", "create", "churn-cloud"]
    ended = subprocess.run(
        [*command, *(f"--{name}={value}" for name, value in values.items())],
        env={
            **environment,
            "ZENML_STORE_TYPE": "rest",
            "ZENML_STORE_URL": environment["STACK_ZENML_URL"],
            "ZENML_STORE_API_KEY": environment["STACK_ZENML_API_KEY"],
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def _ok(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text[:500]}"
    return answer


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.HTTPError:
        return False


def _listens(url: str) -> bool:
    try:
        httpx.get(url, timeout=5)
    except httpx.HTTPError:
        return False
    return True
