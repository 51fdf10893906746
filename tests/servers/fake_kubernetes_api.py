"""Fake of Kubernetes' API server: real HTTPS and rights; jobs are run by a callback.

It has the few kinds of resources that a run needs, refuses an account without the right with 403 as
the real one does, and records every right that was used. `on_pod` runs the pods of a job; without
one, they stay pending.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Document = dict[str, Any]
Rights = frozenset[tuple[str, str, str]]  # group, resource, verb
EVERYTHING: Rights = frozenset({("*", "*", "*")})

_PATH = re.compile(
    r"^/(?:api/v1|apis/(?P<group>[a-z.0-9]+)/v1)"
    r"(?:/namespaces/(?P<namespace>[a-z0-9-]+))?"
    r"(?:/(?P<resource>[a-z]+)(?:/(?P<name>[a-z0-9.-]+)(?:/(?P<part>[a-z]+))?)?)?$"
)
_REVIEWS = ("selfsubjectaccessreviews", "subjectaccessreviews")


@dataclass
class State:
    """What the cluster holds.

    Attributes:
        namespaces: Names.
        accounts: Token -> who that is; a service account is `system:serviceaccount:NS:NAME`.
        rights: Who -> what they may do.
        things: (resource, name) -> manifest.
        logs: Pod -> where its log lies.
        used: Who used which right, and whether it was granted.
        on_pod: Runs a pod's container: given manifest and log, returns its exit code.
        version: What `/version` says.
    """

    namespaces: set[str] = field(default_factory=set)
    accounts: dict[str, str] = field(default_factory=dict)
    rights: dict[str, Rights] = field(default_factory=dict)
    things: dict[tuple[str, str], Document] = field(default_factory=dict)
    logs: dict[str, Path] = field(default_factory=dict)
    used: set[tuple[str, str, str, str, bool]] = field(default_factory=set)
    on_pod: Callable[[Document, Path], int] | None = None
    version: str = "v1.33.1"
    folder: Path = Path()
    lock: threading.RLock = field(default_factory=threading.RLock)

    def may(self, who: str, group: str, resource: str, verb: str) -> bool:
        """Whether somebody has a right."""
        granted = self.rights.get(who, frozenset())
        return ("*", "*", "*") in granted or (group, resource, verb) in granted

    def start(self, job: Document) -> None:
        """Runs a job's pods in the background: as many as its back-off limit lets it."""
        if self.on_pod is not None:
            threading.Thread(target=self._run, args=(job,), daemon=True).start()

    def _run(self, job: Document) -> None:
        assert self.on_pod is not None
        for attempt in range(int(job["spec"].get("backoffLimit", 6)) + 1):
            pod = self._pod(job, attempt)
            name = pod["metadata"]["name"]
            pod["status"]["phase"] = "Running"
            code = self.on_pod(pod, self.logs[name])
            pod["status"]["phase"] = "Failed" if code else "Succeeded"
            if code == 0:
                break
        kind = "Failed" if code else "Complete"
        reason = "Job has reached the specified backoff limit" if code else ""
        condition = {"type": kind, "status": "True", "message": reason}
        with self.lock:
            job["status"]["conditions"] = [condition]

    def _pod(self, job: Document, attempt: int) -> Document:
        name = f"{job['metadata']['name'][:50]}-{attempt}{uuid.uuid4().hex[:4]}"
        template = job["spec"]["template"]
        metadata = template.get("metadata", {})
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **metadata,
                "name": name,
                "namespace": job["metadata"]["namespace"],
                "creationTimestamp": _now(),
                "labels": {**metadata.get("labels", {}), "job-name": job["metadata"]["name"]},
                "ownerReferences": [
                    {
                        "apiVersion": "batch/v1",
                        "kind": "Job",
                        "name": job["metadata"]["name"],
                        "uid": job["metadata"]["uid"],
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
            },
            "spec": template["spec"],
            "status": {"phase": "Pending"},
        }
        with self.lock:
            self.things["pods", name] = pod
            self.logs[name] = self.folder / f"{name}.log"
        return pod


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State

    def log_message(self, *_: Any) -> None:
        """Logs nothing."""

    def do_GET(self) -> None:
        """Reads one thing, or lists."""
        self._handle("get")

    def do_POST(self) -> None:
        """Makes one, or reviews."""
        self._handle("create")

    def do_PATCH(self) -> None:
        """Changes one's metadata."""
        self._handle("patch")

    def do_DELETE(self) -> None:
        """Deletes one."""
        self._handle("delete")

    def _handle(self, verb: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        address = urlsplit(self.path)
        if address.path.rstrip("/") == "/version":
            self._answer(200, _version(self.state.version))
            return
        found = _PATH.match(address.path)
        # The scheme in any case: Kubernetes' own client writes it small where it is in a pod.
        token = self.headers.get("Authorization", "").partition(" ")[2]
        who = self.state.accounts.get(token)
        if found is None:
            self._refuse(404, "the server could not find the requested resource")
        elif who is None:
            self._refuse(401, "Unauthorized")
        elif found["resource"] in _REVIEWS:
            self._review(who, found["resource"], body)
        else:
            self._thing(who, verb, found, parse_qs(address.query), body)

    def _review(self, who: str, kind: str, body: Document) -> None:
        if kind == "subjectaccessreviews":
            if not self.state.may(who, "authorization.k8s.io", kind, "create"):
                self._refuse(403, f"{who} may not ask what others may do")
                return
            who = body["spec"]["user"]
        attributes = body["spec"]["resourceAttributes"]
        part = f"/{attributes['subresource']}" if attributes.get("subresource") else ""
        allowed = attributes["namespace"] in self.state.namespaces and self.state.may(
            who, attributes.get("group", ""), attributes["resource"] + part, attributes["verb"]
        )
        self._answer(201, {**body, "status": {"allowed": allowed}})

    def _thing(
        self,
        who: str,
        verb: str,
        found: re.Match[str],
        query: Mapping[str, list[str]],
        body: Document,
    ) -> None:
        group, resource, name = found["group"] or "", found["resource"], found["name"]
        if resource is None:
            resource, name = "namespaces", found["namespace"]
        kind = f"{resource}/{found['part']}" if found["part"] else resource
        verb = "list" if verb == "get" and name is None else verb
        granted = self.state.may(who, group, kind, verb)
        with self.state.lock:
            self.state.used.add((who, group, kind, verb, granted))
        if not granted:
            self._refuse(403, f'{kind} is forbidden: User "{who}" cannot {verb} resource "{kind}"')
        elif kind == "namespaces":
            there = name in self.state.namespaces
            self._one({"kind": "Namespace", "metadata": {"name": name}} if there else None)
        elif found["namespace"] not in self.state.namespaces:
            self._refuse(404, f'namespaces "{found["namespace"]}" not found')
        elif kind == "pods/log":
            self._log(name)
        else:
            self._kept(verb, resource, found["namespace"], name, query, body)

    def _kept(
        self,
        verb: str,
        resource: str,
        namespace: str,
        name: str | None,
        query: Mapping[str, list[str]],
        body: Document,
    ) -> None:
        things = self.state.things
        with self.state.lock:
            if verb == "list":
                items = [t for (kind, _), t in things.items() if kind == resource]
                items = [each for each in items if _selected(each, query)]
                self._answer(200, {"kind": "List", "metadata": {}, "items": items})
            elif verb == "create":
                body["metadata"] |= {
                    "namespace": namespace,
                    "uid": str(uuid.uuid4()),
                    "creationTimestamp": _now(),
                }
                body["status"] = {}
                things[resource, body["metadata"]["name"]] = body
                self._answer(201, body)
                self.state.start(body)
            elif (resource, name) not in things:
                self._refuse(404, f'{resource} "{name}" not found')
            elif verb == "patch":
                kept = things[resource, str(name)]
                changed = body.get("metadata", {}).get("annotations") or {}
                kept["metadata"].setdefault("annotations", {}).update(changed)
                self._answer(200, kept)
            elif verb == "delete":
                self._answer(200, things.pop((resource, str(name))))
            else:
                self._one(things[resource, str(name)])

    def _one(self, thing: Document | None) -> None:
        if thing is None:
            self._refuse(404, "not found")
        elif "PartialObjectMetadata" in self.headers.get("Accept", ""):
            # As the real one: no more than the metadata travels.
            self._answer(200, {"kind": "PartialObjectMetadata", "metadata": thing["metadata"]})
        else:
            self._answer(200, thing)

    def _log(self, name: str) -> None:
        place = self.state.logs.get(name)
        text = place.read_bytes() if place and place.is_file() else b""
        self._send(200, text, "text/plain")

    def _refuse(self, status: int, message: str) -> None:
        status_document = {
            "kind": "Status",
            "status": "Failure",
            "message": message,
            "code": status,
        }
        self._answer(status, status_document)

    def _answer(self, status: int, document: Document) -> None:
        self._send(status, json.dumps(document).encode(), "application/json")

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@dataclass(frozen=True)
class ApiServer:
    """A started fake: its port, its certificate, and its state."""

    port: int
    certificate: str
    state: State

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    def kubeconfig(self, place: Path, token: str, context: str = "kind-churn") -> Path:
        """Writes a kubeconfig with one context, for whoever has this token."""
        import base64

        authority = base64.b64encode(self.certificate.encode()).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": cluster}],
            "users": [{"name": "somebody", "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": "fake", "user": "somebody"}}],
            "current-context": context,
        }
        place.write_text(json.dumps(document), encoding="utf-8")
        return place


@contextmanager
def api_server(folder: Path, state: State) -> Iterator[ApiServer]:
    """Yields the fake on a free port of this machine; its logs lie in the folder."""
    state.folder = folder
    key, certificate = _certificate()
    pair = folder / "server.pem"
    pair.write_text(key + certificate, encoding="utf-8")
    pair.chmod(0o600)
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield ApiServer(server.server_port, certificate, state)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def rights_of(manifests: list[Document], account: str) -> Rights:
    """What a service account may do by the roles and bindings of rendered manifests."""
    roles = {each["metadata"]["name"]: each for each in manifests if each["kind"] == "Role"}
    return frozenset(
        (group, resource, verb)
        for binding in manifests
        if binding["kind"] == "RoleBinding"
        and account in {subject["name"] for subject in binding["subjects"]}
        for rule in roles[binding["roleRef"]["name"]]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )


def _selected(thing: Document, query: Mapping[str, list[str]]) -> bool:
    labels = thing["metadata"].get("labels", {})
    for pair in ",".join(query.get("labelSelector", [])).split(","):
        key, _, value = pair.partition("=")
        if key and labels.get(key) != value:
            return False
    selector = ",".join(query.get("fieldSelector", []))
    phase = thing.get("status", {}).get("phase")
    return not selector or selector == f"status.phase={phase}"


def _version(version: str) -> Document:
    major, minor = version.lstrip("v").split(".")[:2]
    rest = ("gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform")
    return {"major": major, "minor": minor, "gitVersion": version, **dict.fromkeys(rest, "-")}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _certificate() -> tuple[str, str]:
    """A key and a certificate for 127.0.0.1, which is its own authority."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), made.public_bytes(serialization.Encoding.PEM).decode()
