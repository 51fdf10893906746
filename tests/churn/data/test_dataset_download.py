"""Tables behind a URL: fetched from a server on this machine, verified, kept once, or refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from churn.data import acquire, fingerprint
from churn.data.intake import download as download_module
from churn.data.intake.download import download, public
from churn.errors import InputError


@dataclass
class Server:
    """A server and what it was asked for."""

    address: str
    requested: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    unsized: set[str] = field(default_factory=set)

    def serve(self, path: str, content: bytes) -> tuple[str, str]:
        """Puts a file there; its URL and sha256."""
        self.files[path] = content
        return self.address + path, hashlib.sha256(content).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            state.requested.append(self.path)
            if path in state.redirects:
                self.send_response(302)
                self.send_header("Location", state.redirects[path])
                self.end_headers()
            elif path in state.files:
                content = state.files[path]
                self.send_response(200)
                if path not in state.unsized:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if path in state.cut else content)
            else:
                self.send_error(404)

        def log_message(self, *_) -> None:
            """Says nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{running.server_port}")
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def csv(root, contract) -> bytes:
    return (root / contract.snapshot.path).read_bytes()


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "downloads"


def refusal(url: str, sha256: str | None, contract, root, cache, **more) -> str:
    with pytest.raises(InputError) as caught:
        acquire(url, contract, root=root, sha256=sha256, cache=cache, **more)
    assert not list(cache.rglob("*")) if cache.is_dir() else True, "something was left behind"
    return str(caught.value)


def test_a_url_gives_the_table_and_is_fetched_once(server, csv, telco, contract, root, cache):
    url, sha256 = server.serve("/telco.csv", csv)
    progress: list[tuple[int, int | None]] = []

    seen = fingerprint(
        url,
        contract,
        root=root,
        sha256=sha256,
        cache=cache,
        on_progress=lambda done, total: progress.append((done, total)),
    )
    dataset = acquire(url, contract, root=root, sha256=sha256, cache=cache)

    assert seen == sha256
    assert dataset.frame.equals(telco.frame)
    assert dataset.source.location == url
    assert server.requested == ["/telco.csv"]
    assert [path.name for path in cache.iterdir()] == [sha256]
    assert progress[-1] == (len(csv), len(csv))
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


def test_a_server_that_does_not_say_the_size_is_fine(server, csv, contract, root, cache):
    url, sha256 = server.serve("/telco.csv", csv)
    server.unsized.add("/telco.csv")
    progress: list[tuple[int, int | None]] = []

    download(url, sha256, cache, lambda done, total: progress.append((done, total)))

    assert progress[-1] == (len(csv), None)


def test_a_kept_download_that_was_damaged_is_fetched_again(server, csv, contract, root, cache):
    url, sha256 = server.serve("/telco.csv", csv)
    download(url, sha256, cache)
    (cache / sha256).write_bytes(b"damaged")

    assert download(url, sha256, cache).read_bytes() == csv
    assert len(server.requested) == 2


def test_a_redirect_is_followed(server, csv, contract, root, cache):
    _, sha256 = server.serve("/telco.csv", csv)
    server.redirects["/old"] = "/telco.csv"

    assert download(f"{server.address}/old", sha256, cache).read_bytes() == csv


def test_what_is_secret_in_a_url_is_neither_shown_nor_kept(server, csv, contract, root, cache):
    url, sha256 = server.serve("/telco.csv", csv)
    private = url.replace("http://", "http://me:pass@") + "?token=secret#part"

    dataset = acquire(private, contract, root=root, sha256=sha256, cache=cache)

    assert dataset.source.location == url
    assert server.requested == ["/telco.csv?token=secret"]
    assert public("https://me:pass@example.org:8443/a.csv?x=1") == "https://example.org:8443/a.csv"


def test_a_url_needs_a_checksum(server, csv, contract, root, cache):
    url, _ = server.serve("/telco.csv", csv)

    assert refusal(url, None, contract, root, cache) == (
        f"{url} needs a checksum, so that everybody trains on the same bytes. Add --set "
        "data.sha256=..., which `sha256sum FILE` prints."
    )
    assert server.requested == []


def test_other_bytes_than_stated_are_not_kept(server, csv, contract, root, cache):
    url, sha256 = server.serve("/telco.csv", csv)

    assert refusal(url, "ab" * 32, contract, root, cache) == (
        f"{url} has sha256 {sha256}, but {'ab' * 32} is expected. Check the address and "
        "data.sha256; nothing was kept."
    )


def test_a_page_that_is_not_there_is_named(server, contract, root, cache):
    url = f"{server.address}/gone.csv"

    assert refusal(url, "ab" * 32, contract, root, cache) == (
        f"{url} answers 404 Not Found. Check the address."
    )


def test_a_server_that_is_not_there_is_named(server, contract, root, cache):
    closed = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    url = f"http://127.0.0.1:{closed.server_port}/telco.csv"
    closed.server_close()

    assert refusal(url, "ab" * 32, contract, root, cache) == (
        f"{url} cannot be fetched: ConnectError. Check the address and the connection, or download "
        "the file and name its path."
    )


def test_a_download_that_ends_too_early_is_not_kept(server, csv, contract, root, cache):
    url, sha256 = server.serve("/telco.csv", csv)
    server.cut.add("/telco.csv")

    assert "cannot be fetched: RemoteProtocolError" in refusal(url, sha256, contract, root, cache)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/telco.csv",
        "http://127.0.0.1.example.org/telco.csv",
        "http://127.0.0.1@example.org/telco.csv",
        "ftp://example.org/telco.csv",
        "https:///telco.csv",
    ],
)
def test_only_https_is_fetched_from_elsewhere(url, contract, root, cache):
    assert "is not an https address, and no other is fetched" in refusal(
        url, "ab" * 32, contract, root, cache
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "jdbc:mysql://me:secret@host/db",
            "jdbc://… is not an https address, and no other is fetched. It names a database: export "
            "the customers as CSV or parquet and name the file.",
        ),
        *(
            (
                url,
                f"{url.partition(':')[0]}://… has a password in it, which would be stored and shown. "
                "Leave it out and set PGPASSWORD, or write ${env:NAME} for it and set that variable.",
            )
            for url in (
                "postgresql://me:secret@host/db",
                "postgresql+psycopg2://me:sec/ret@host/db",
                "postgresql://me:sec@ret@host/db",
                "postgresql://host/db?user=me&password=secret",
            )
        ),
        (
            "sqlite:///shop.db",
            "sqlite:///shop.db names no table. End it with ?table=NAME or with ?query=FILE, a file "
            "with one SELECT.",
        ),
    ],
)
def test_other_addresses_are_named_for_what_they_are(url, sentence, contract, root, cache):
    # Whether or not a checksum is stated: asking for one would lead nowhere.
    assert refusal(url, None, contract, root, cache) == sentence
    assert refusal(url, "ab" * 32, contract, root, cache) == sentence


@pytest.mark.parametrize("url", ["https://[bad/telco.csv", "https://a:port/telco.csv"])
def test_an_address_that_is_none_is_refused(url, contract, root, cache):
    assert "is no valid address" in refusal(url, "ab" * 32, contract, root, cache)


def test_a_redirect_cannot_lead_to_what_is_not_fetched(server, contract, root, cache):
    server.redirects["/a"] = "http://example.org/telco.csv?token=secret"
    server.redirects["/round"] = "/round"

    elsewhere = refusal(f"{server.address}/a", "ab" * 32, contract, root, cache)
    round_and_round = refusal(f"{server.address}/round", "ab" * 32, contract, root, cache)

    assert "/a redirects to an address that is not https" in elsewhere
    assert "redirects more than 5 times" in round_and_round


def test_more_bytes_than_the_limit_are_not_fetched(server, csv, cache):
    url, sha256 = server.serve("/telco.csv", csv)
    server.unsized.add("/telco.csv")

    with pytest.raises(InputError, match="holds more than 100,000 bytes"):
        download(url, sha256, cache, largest=100_000)
    assert list(cache.iterdir()) == []


def test_a_disk_that_fills_is_named(server, csv, cache, monkeypatch):
    url, sha256 = server.serve("/telco.csv", csv)

    @contextmanager
    def full(_cache):
        with Path("/dev/full").open("wb", buffering=0) as file:
            yield file, Path("/dev/full")

    monkeypatch.setattr(download_module, "_partial", full)

    with pytest.raises(InputError, match=r"download folder .* cannot be used: .*[Nn]o space left"):
        download(url, sha256, cache)


def test_an_interrupt_leaves_nothing_behind(server, csv, cache):
    url, sha256 = server.serve("/telco.csv", csv)

    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(url, sha256, cache, interrupt)
    assert list(cache.iterdir()) == []


def test_a_cache_that_is_no_folder_is_named(server, csv, contract, root, tmp_path):
    url, sha256 = server.serve("/telco.csv", csv)
    (tmp_path / "file").write_text("not a folder")

    assert refusal(url, sha256, contract, root, tmp_path / "file" / "downloads") == (
        f"The download folder {tmp_path}/file/downloads cannot be used: a file stands where a folder "
        "must be. Make it a folder you may write to, or choose another with --set output.folder=PATH."
    )
    assert server.requested == []
