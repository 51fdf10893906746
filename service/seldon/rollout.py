"""Settings of a rollout, strict, and the names in the manifests that are made from them."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from churn.errors import InputError
from churn.frozen_model import FrozenModel
from churn.scoring.manifest import VERSION_PATTERN

# RFC 1123 label; short enough for what Seldon appends to it (63 is the limit of the whole).
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$")]
Label = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Version = Annotated[str, Field(pattern=VERSION_PATTERN)]
_IMAGE = re.compile(
    r"(?:[a-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
)


def _require_fixed(image: str) -> str:
    """An image without tag or digest is another one tomorrow, and so is `latest`."""
    match = _IMAGE.fullmatch(image)
    if not match or not (match["digest"] or match["tag"] not in {None, "latest"}):
        raise ValueError("it has neither a digest nor a tag other than latest")
    return image


Image = Annotated[str, AfterValidator(_require_fixed)]
Uri = Annotated[str, Field(pattern=r"^([a-z][a-z0-9+.-]*://|/)\S*[^\s/]$")]
_ALLOWED = {
    "name": "lower-case letters, digits and hyphens, 30 at most",
    "namespace": "lower-case letters, digits and hyphens, 63 at most",
    "secret": "lower-case letters, digits and hyphens, 63 at most",
    "image": "an image with a tag other than latest, or with a digest",
    "bundle_uri": "a URI such as s3://models/churn, or an absolute path, without a slash at its end",
}
_LONGEST_SLUG = 20


class Canary(FrozenModel):
    """A second version, and the percentage of the requests that it answers."""

    version: Version
    percent: int = Field(ge=1, le=99)


class Rollout(FrozenModel):
    """Settings of the manifests.

    Attributes:
        namespace: it goes to; None leaves it to kubectl.
        image: contains this package and the environment of the server.
        bundle_uri: of the store; for Core 2, of the folder that `service.seldon.package` wrote to.
        version: that serves; None (Core 1 only) serves what the store has in production when a
            pod starts.
        canary: a second version with its share of the requests.
        shadow: a version that gets a copy of every request, and whose answers are thrown away.
        secret: with the credentials of the store.
        maximum: replicas; the canary and the shadow scale between 1 and as many.
    """

    name: Name = "churn"
    namespace: Label | None = None
    image: Image
    bundle_uri: Uri
    version: Version | None = None
    canary: Canary | None = None
    shadow: Version | None = None
    secret: Label | None = None
    minimum: int = Field(default=2, ge=1, le=1000)
    maximum: int = Field(default=6, ge=1, le=1000)

    @model_validator(mode="after")
    def _require_agreement(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"at most {self.maximum} replicas are fewer than {self.minimum}")
        canary = self.canary.version if self.canary else None
        versions = [version for version in (self.version, canary, self.shadow) if version]
        if len(set(versions)) != len(versions):
            raise ValueError("a version is named twice; name the main one, canary and shadow apart")
        return self

    def main_percent(self) -> int:
        """Returns the percentage of the requests that the main version answers."""
        return 100 - (self.canary.percent if self.canary else 0)


def read_rollout(**settings: object) -> Rollout:
    """Returns the checked settings.

    Raises:
        InputError: one is not allowed; the sentence names it.
    """
    try:
        return Rollout.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "rollout"
        message = first["msg"].removeprefix("Value error, ")
        reason = (
            f"give {_ALLOWED[where]}" if where in _ALLOWED else message[:1].lower() + message[1:]
        )
        shown = f" {first['input']!r}" if first["loc"] else ""
        raise InputError(f"The setting '{where}'{shown} will not do: {reason}.") from None


def parse_canary(text: str) -> Canary:
    """Returns the canary of a text `VERSION=PERCENT`.

    Raises:
        InputError: it is spelt otherwise, or the percentage is not from 1 to 99.
    """
    version, equals, percent = text.rpartition("=")
    if not (
        equals and re.fullmatch(VERSION_PATTERN, version) and re.fullmatch(r"[1-9]\d?", percent)
    ):
        raise InputError(
            f"The canary {text!r} is not VERSION=PERCENT with a percentage from 1 to 99; write "
            "for example 8=10."
        )
    return Canary(version=version, percent=int(percent))


def slug(version: str) -> str:
    """Returns a version as a part of a Kubernetes name; different versions stay different."""
    plain = re.sub(r"[^a-z0-9]+", "-", version.lower()).strip("-")
    if plain == version and len(plain) <= _LONGEST_SLUG:
        return plain
    digest = hashlib.sha256(version.encode()).hexdigest()[:8]
    return f"{plain[:_LONGEST_SLUG].strip('-')}-{digest}"
