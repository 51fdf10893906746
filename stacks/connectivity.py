"""Whether what a stack talks to answers; asked before the first step runs, in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from churn.errors import ChurnError, InputError, error_reason

if TYPE_CHECKING:
    from stacks.apply import AppliedStack

_SECONDS = 5
_FORBIDDEN, _ABSENT = (
    ("403", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    ("404", "NoSuchBucket"),
)


def require_reachable(stack: AppliedStack) -> None:
    """Asks the stack's artifact store; its tracker is asked when its experiment is prepared.

    Raises:
        ChurnError: it does not answer.
        InputError: it answers, and refuses the credentials or has no such bucket.
    """
    from zenml.client import Client
    from zenml.stack import StackComponent

    for kind, found in Client().get_stack(stack.id).components.items():
        if kind.value != "artifact_store" or found[0].flavor_name != "s3":
            continue
        config: Any = StackComponent.from_model(found[0]).config
        require_bucket(
            f"The artifact store '{found[0].name}' of stack '{stack.name}'",
            bucket=str(config.path).removeprefix("s3://").split("/")[0],
            key=config.key,
            secret=config.secret,
            **(config.client_kwargs or {}),
        )


def require_bucket(
    what: str, *, bucket: str, key: str | None, secret: str | None, **client: Any
) -> None:
    """Asks a bucket whether it is there.

    Args:
        what: How the sentence begins that says it is not.
        bucket: Its name.
        key: Access key id; None takes what the environment has.
        secret: The key's secret.
        **client: More for the client, such as `endpoint_url`.

    Raises:
        ChurnError: its server does not answer.
        InputError: there is no such bucket, or the credentials are refused.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    where = f"{what} at {client.get('endpoint_url') or 'AWS'}"
    try:
        asked = boto3.client(
            "s3",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(
                connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1}
            ),
            **client,
        )
        asked.head_bucket(Bucket=bucket)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "?"))
        if code in _ABSENT:
            raise InputError(
                f"{where} has no bucket '{bucket}'; make it, or name another."
            ) from None
        if code in _FORBIDDEN:
            raise InputError(
                f"{where} refuses the credentials for bucket '{bucket}' ({code}); correct the "
                "secret that the stack file names."
            ) from None
        raise ChurnError(f"{where} answers with an error for bucket '{bucket}': {code}.") from None
    except (BotoCoreError, ValueError) as error:
        reason = error_reason(error)
        raise ChurnError(
            f"{where} does not answer ({reason}); start it, or correct its address."
        ) from None
