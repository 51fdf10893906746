"""Whether steps would find their image: it is named, its registry answers, and it is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.diagnosis import SECONDS, Diagnosis, network_reason
from stacks.spec import StackSpec

_IMAGE = re.compile(
    r"^(?P<host>[^/]+\.[^/]+|[^/]+:[0-9]+|localhost)/(?P<name>[a-z0-9._/-]+)"
    r"(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)
_MANIFESTS = ", ".join(
    f"application/vnd.{each}+json"
    for each in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)
_HERE = ("localhost", "127.0.0.1", "::1")
_UNAUTHORIZED, _ABSENT = 401, 404
_BUILD = "docker build --target pipeline --tag {image} . && docker push {image}"


def check_image(spec: StackSpec) -> Iterator[Diagnosis]:
    """The image of the steps, in the registry that it names.

    Args:
        spec: The stack, its placeholders filled in.
    """
    image = spec.run.image.prebuilt if spec.run.image else ""
    told = _IMAGE.match(image)
    if told is None:
        yield Diagnosis(
            "image",
            "broken",
            f"'{image}' names no image of a registry",
            "export STACK_PIPELINE_IMAGE=registry.example/churn-pipeline:0.1.0",
        )
        return
    version = told["digest"] or told["tag"]
    if version in (None, "latest"):
        yield Diagnosis(
            "image",
            "note",
            f"{image} is whatever was pushed last, and may change between two steps",
            "Name a version or, better, a digest.",
        )
    yield from _asked(image, told["host"], told["name"], version or "latest")


def _asked(image: str, host: str, name: str, version: str) -> Iterator[Diagnosis]:
    import httpx

    scheme = "http" if host.rpartition(":")[0] in _HERE or host in _HERE else "https"
    try:
        with httpx.Client(base_url=f"{scheme}://{host}", timeout=SECONDS) as client:
            greeting = client.get("/v2/")
            if greeting.status_code != _UNAUTHORIZED:
                greeting.raise_for_status()
            found = client.head(f"/v2/{name}/manifests/{version}", headers={"Accept": _MANIFESTS})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Diagnosis(
            "registry",
            "note",
            f"{host} does not answer from here as a registry ({network_reason(error)})",
            f"Fine where the nodes have the image, as with `kind load`; else curl {scheme}://{host}/v2/",
        )
        return
    yield Diagnosis("registry", "fine", f"{host} answers")
    if found.status_code == _ABSENT:
        command = _BUILD.format(image=image)
        yield Diagnosis("image", "broken", f"{image} is not in its registry", command)
    elif found.status_code == _UNAUTHORIZED:
        yield Diagnosis(
            "image",
            "note",
            f"{image}: its registry asks for a login, so it was not looked for",
            "Pods need one, too: docs/kubernetes.md, 'A private registry'.",
        )
    elif found.is_success:
        yield Diagnosis("image", "fine", f"{image} is in its registry")
    else:
        yield Diagnosis(
            "image",
            "note",
            f"{image}: its registry answers {found.status_code}",
            f"docker pull {image}",
        )
