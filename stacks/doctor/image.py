"""Checks the image of the steps: its name, its registry, and whether it exists there."""

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
_LOCAL = ("localhost", "127.0.0.1", "::1")
_UNAUTHORIZED, _ABSENT = 401, 404
_BUILD = "docker build --target pipeline --tag {image} . && docker push {image}"


def check_image(spec: StackSpec) -> Iterator[Diagnosis]:
    """Checks the image of the steps in the registry that it names."""
    image = spec.run.image.prebuilt if spec.run.image else ""
    match = _IMAGE.match(image)
    if match is None:
        yield Diagnosis(
            "image",
            "broken",
            f"'{image}' names no image of a registry",
            "export STACK_PIPELINE_IMAGE=registry.example/churn-pipeline:0.1.0",
        )
        return
    version = match["digest"] or match["tag"]
    if version in (None, "latest"):
        yield Diagnosis(
            "image",
            "note",
            f"{image} is whatever image was pushed last, and may change between two steps",
            "Name a version or, better, a digest.",
        )
    yield from _check_registry(image, match["host"], match["name"], version or "latest")


def _check_registry(image: str, host: str, name: str, version: str) -> Iterator[Diagnosis]:
    import httpx

    scheme = "http" if host.rpartition(":")[0] in _LOCAL or host in _LOCAL else "https"
    try:
        with httpx.Client(base_url=f"{scheme}://{host}", timeout=SECONDS) as client:
            root = client.get("/v2/")
            if root.status_code != _UNAUTHORIZED:
                root.raise_for_status()
            manifest = client.head(
                f"/v2/{name}/manifests/{version}", headers={"Accept": _MANIFESTS}
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Diagnosis(
            "registry",
            "note",
            f"{host} does not answer from here as a registry ({network_reason(error)})",
            f"Fine where the nodes have the image, as with `kind load`; else curl {scheme}://{host}/v2/",
        )
        return
    yield Diagnosis("registry", "fine", f"{host} answers")
    if manifest.status_code == _ABSENT:
        command = _BUILD.format(image=image)
        yield Diagnosis("image", "broken", f"{image} is not in its registry", command)
    elif manifest.status_code == _UNAUTHORIZED:
        yield Diagnosis(
            "image",
            "note",
            f"{image}: its registry asks for a login, so it was not checked",
            "Pods need one, too: docs/kubernetes.md, 'A private registry'.",
        )
    elif manifest.is_success:
        yield Diagnosis("image", "fine", f"{image} is in its registry")
    else:
        yield Diagnosis(
            "image",
            "note",
            f"{image}: its registry answers {manifest.status_code}",
            f"docker pull {image}",
        )
