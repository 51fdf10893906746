"""Whether a stack's servers answer; checked before the first step runs, within seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from churn.errors import ChurnError, InputError, error_reason

if TYPE_CHECKING:
    import httpx

    from stacks.apply import AppliedStack

_SECONDS = 5
_ANSWER_SECONDS = 30.0
_FORBIDDEN = ("403", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_ABSENT = ("404", "NoSuchBucket")


def require_reachable(stack: AppliedStack) -> None:
    """Checks the stack's artifact store; `stacks.tracking` checks its tracker.

    Raises:
        ChurnError: it does not answer.
        InputError: it refuses the credentials, or has no such bucket.
    """
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.stack import StackComponent

    store = Client().get_stack(stack.id).components[StackComponentType.ARTIFACT_STORE][0]
    if store.flavor_name != "s3":
        return
    config: Any = StackComponent.from_model(store).config
    require_bucket(
        f"The artifact store '{store.name}' of stack '{stack.name}'",
        bucket=str(config.path).removeprefix("s3://").split("/")[0],
        key=config.key,
        secret=config.secret,
        **(config.client_kwargs or {}),
    )


def require_bucket(
    what: str, *, bucket: str, key: str | None, secret: str | None, **client: Any
) -> None:
    """Checks that a bucket exists and that the credentials open it.

    Args:
        what: Beginning of the error's sentence.
        bucket: Name of the bucket.
        key: Access key id; None takes what the environment has.
        secret: Secret access key.
        **client: More arguments of boto3's client, such as `endpoint_url`.

    Raises:
        ChurnError: its server does not answer.
        InputError: there is no such bucket, or the credentials are refused.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    where = f"{what} at {client.get('endpoint_url') or 'AWS'}"
    try:
        s3 = boto3.client(
            "s3",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(
                connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1}
            ),
            **client,
        )
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "?"))
        raise _refusal(where, bucket, code) from None
    except (BotoCoreError, ValueError) as error:
        raise ChurnError(
            f"{where} does not answer ({error_reason(error)}); start it, or correct its address."
        ) from None


def _refusal(where: str, bucket: str, code: str) -> ChurnError:
    if code in _ABSENT:
        return InputError(f"{where} has no bucket '{bucket}'; make it, or name another.")
    if code in _FORBIDDEN:
        return InputError(
            f"{where} refuses the credentials for bucket '{bucket}' ({code}); correct the "
            "secret that the stack file names."
        )
    return ChurnError(f"{where} answers with an error for bucket '{bucket}': {code}.")


def get(url: str) -> httpx.Response:
    """Sends a server one request; ZenML's and MLflow's clients would retry for minutes.

    Raises:
        ConnectionError: it does not answer; with the reason, which tells of a proxy, too.
    """
    import httpx

    try:
        return httpx.get(url, timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_SECONDS))
    # An address or a proxy that is none is a ValueError, a proxy of another kind an ImportError.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
        raise ConnectionError(f"{error_reason(error)}{_proxy(url)}") from error


def _proxy(url: str) -> str:
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme) or getproxies().get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return ""
    name = f"{parts.scheme.upper()}_PROXY"
    return f" by the proxy {without_password(proxy)} of {name} or ALL_PROXY; NO_PROXY goes round it"


def without_password(address: str) -> str:
    """Returns a database's or server's address without its user and password."""
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
