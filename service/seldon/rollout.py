"""What is to be rolled out: the settings of the manifests, strict, and the names made from them."""

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


def _fixed(image: str) -> str:
    """An image without tag or digest is another one tomorrow, and so is `latest`."""
    found = _IMAGE.fullmatch(image)
    if not found or not (found["digest"] or found["tag"] not in {None, "latest"}):
        raise ValueError("it has neither a digest nor a tag other than latest")
    return image


Image = Annotated[str, AfterValidator(_fixed)]
Uri = Annotated[str, Field(pattern=r"^([a-z][a-z0-9+.-]*://|/)\S*[^\s/]$")]
_MEANT = {
    "name": "lower-case letters, digits and hyphens, 30 at most",
    "namespace": "lower-case letters, digits and hyphens, 63 at most",
    "secret": "lower-case letters, digits and hyphens, 63 at most",
    "image": "an image with a tag other than latest, or with a digest",
    "bundle_uri": "a URI such as s3://models/churn, or an absolute path, without a slash at its end",
}
_SLUG = 20


class Canary(FrozenModel):
    """A second version that answers a part of the requests.

    Attributes:
        version: of its bundle.
        percent: of the requests that it answers.
    """

    version: Version
    percent: int = Field(ge=1, le=99)


class Rollout(FrozenModel):
    """Everything that the manifests depend on.

    Attributes:
        name: of the deployment.
        namespace: it goes to; None leaves it to kubectl.
        image: with this package and the environment of the server in it.
        bundle_uri: of the store; for Core 2, of the folder that `service.seldon.package` wrote to.
        version: that serves; None (Core 1 only) serves what the store has in production when a
            pod starts.
        canary: a second version with its part of the requests.
        shadow: a version that gets a copy of every request and answers nobody.
        secret: with the credentials of the store.
        minimum: replicas.
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
    def _sensible(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"at most {self.maximum} replicas are fewer than {self.minimum}")
        others = [one for one in (self.canary and self.canary.version, self.shadow) if one]
        versions = [one for one in (self.version, *others) if one]
        if len(set(versions)) != len(versions):
            raise ValueError("a version stands twice; name the main one, canary and shadow apart")
        return self

    def percent(self) -> int:
        """Of the requests that the main version answers."""
        return 100 - (self.canary.percent if self.canary else 0)


def rollout(**settings: object) -> Rollout:
    """The settings, checked.

    Raises:
        InputError: one is not what it must be; the sentence names it.
    """
    try:
        return Rollout.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "rollout"
        said = first["msg"].removeprefix("Value error, ")
        meant = f"give {_MEANT[where]}" if where in _MEANT else said[:1].lower() + said[1:]
        shown = f" {first['input']!r}" if first["loc"] else ""
        raise InputError(f"The setting '{where}'{shown} will not do: {meant}.") from None


def canary_of(text: str) -> Canary:
    """`VERSION=PERCENT` as a canary.

    Raises:
        InputError: it is not spelt so, or the percentage is none from 1 to 99.
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
    """The version as a part of a Kubernetes name; different versions stay different."""
    plain = re.sub(r"[^a-z0-9]+", "-", version.lower()).strip("-")
    if plain == version and len(plain) <= _SLUG:
        return plain
    digest = hashlib.sha256(version.encode()).hexdigest()[:8]
    return f"{plain[:_SLUG].strip('-')}-{digest}"
