"""A broker whose certificate does not fit ends the worker with a sentence, by either client."""

import socket
import ssl
import subprocess
from contextlib import contextmanager, suppress
from threading import Thread
from time import sleep

import pytest
from kafka.net.transport import KafkaSSLTransport

from churn.errors import InputError
from service.stream import kafka_clients
from service.stream.session import PermanentError, SessionError
from service.stream.stream_settings import StreamSettings, read_settings
from service.stream.transports import open_session

REQUESTED = r"that they trust: set CHURN_KAFKA_CERTIFICATE_FILE and CHURN_KAFKA_KEY_FILE to it"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that nobody has signed, for another name, and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "DNS:other.example")


def make_certificate(folder, name):
    folder.mkdir(exist_ok=True)
    files = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=broker", "-addext", f"subjectAltName={name}",
         "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


@pytest.fixture
def address(certificate):
    """A server that speaks TLS with that certificate."""
    with serving(certificate) as address:
        yield address


@contextmanager
def serving(certificate, *, wants_one=False, peers=None):
    """Serves TLS; certificates that it wants must be this one, and `peers` gets what it accepts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    if wants_one:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate[0])
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            with (
                suppress(ssl.SSLError, ConnectionError),
                context.wrap_socket(server.accept()[0], server_side=True) as connection,
            ):
                if peers is not None:
                    peers.append(connection.getpeercert())

    def run():
        with suppress(OSError):  # the end of the test closes it
            serve()

    Thread(target=run, daemon=True).start()
    yield f"127.0.0.1:{server.getsockname()[1]}"
    server.close()


@pytest.mark.parametrize("transport", ["kafka", "confluent"])
@pytest.mark.parametrize("is_known", [False, True], ids=["not signed", "another name"])
def test_it_is_permanent_and_names_the_settings(
    address, certificate, monkeypatch, transport, is_known
):
    monkeypatch.setattr(kafka_clients, "_BOOTSTRAP_SECONDS", 1)
    settings = StreamSettings(
        transport=transport,
        kafka_servers=address,
        kafka_security="SSL",
        kafka_ca_file=certificate[0] if is_known else None,
    )

    with pytest.raises(
        PermanentError, match=r"CHURN_KAFKA_CA_FILE .* CHURN_KAFKA_SERVERS"
    ) as caught:
        open_session(settings)

    assert "certificate verify failed" in str(caught.value)


def test_its_reason_is_heard_though_it_has_closed_before_the_first_request(tmp_path, monkeypatch):
    monkeypatch.setattr(kafka_clients, "_BOOTSTRAP_SECONDS", 1)
    handshake = KafkaSSLTransport.handshake

    async def slow_handshake(self):
        await handshake(self)
        sleep(0.2)  # as on a busy machine: TLS 1.3 refuses a client after the client's handshake

    monkeypatch.setattr(KafkaSSLTransport, "handshake", slow_handshake)
    certificate = make_certificate(tmp_path, "IP:127.0.0.1")

    with serving(certificate, wants_one=True) as address:
        settings = StreamSettings(
            kafka_servers=address, kafka_security="SSL", kafka_ca_file=certificate[0]
        )
        with pytest.raises(PermanentError, match="certificate required"):
            open_session(settings)


@pytest.mark.parametrize("transport", ["kafka", "confluent"])
def test_a_broker_that_asks_the_worker_for_one_is_no_broker_that_does_not_answer(
    tmp_path, monkeypatch, transport
):
    monkeypatch.setattr(kafka_clients, "_BOOTSTRAP_SECONDS", 1)
    certificate = make_certificate(tmp_path, "IP:127.0.0.1")

    with serving(certificate, wants_one=True) as address:
        settings = StreamSettings(
            transport=transport,
            kafka_servers=address,
            kafka_security="SSL",
            kafka_ca_file=certificate[0],
        )
        with pytest.raises(PermanentError, match=REQUESTED):
            open_session(settings)


@pytest.mark.parametrize("transport", ["kafka", "confluent"])
def test_the_workers_own_is_shown_to_a_broker_that_asks(tmp_path, monkeypatch, transport):
    monkeypatch.setattr(kafka_clients, "_BOOTSTRAP_SECONDS", 1)
    certificate = make_certificate(tmp_path, "IP:127.0.0.1")
    peers = []

    with serving(certificate, wants_one=True, peers=peers) as address:
        settings = with_own(certificate, transport, address, certificate[0])
        with pytest.raises(SessionError):  # it speaks TLS, and no word of Kafka
            open_session(settings)

    assert peers[0]["subject"] == ((("commonName", "broker"),),)


@pytest.mark.parametrize("transport", ["kafka", "confluent"])
def test_one_that_the_broker_does_not_trust_is_permanent(tmp_path, monkeypatch, transport):
    monkeypatch.setattr(kafka_clients, "_BOOTSTRAP_SECONDS", 1)
    certificate = make_certificate(tmp_path, "IP:127.0.0.1")
    unknown = make_certificate(tmp_path / "unknown", "IP:127.0.0.1")

    with (
        serving(certificate, wants_one=True) as address,
        pytest.raises(PermanentError, match=REQUESTED) as caught,
    ):
        open_session(with_own(unknown, transport, address, certificate[0]))

    assert "alert" in str(caught.value)


def with_own(certificate, transport, address, authority):
    return StreamSettings(
        transport=transport,
        kafka_servers=address,
        kafka_security="SSL",
        kafka_ca_file=authority,
        kafka_certificate_file=certificate[0],
        kafka_key_file=certificate[1],
    )


def test_a_certificate_and_a_key_that_are_none_are_refused_by_the_settings(tmp_path, certificate):
    """And nobody is asked for a password on the terminal."""
    other = make_certificate(tmp_path / "other", "IP:127.0.0.1")
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "rsa", "-aes128", "-passout", "pass:whisper", "-in", certificate[1], "-out", locked],
        check=True, capture_output=True,
    )  # fmt: skip
    for key, security, sentence in (
        (None, "SSL", "needs a kafka_key_file, and the other way round; one file may hold both"),
        (certificate[1], "SASL_PLAINTEXT", "needs a kafka_security of SSL or SASL_SSL"),
        (other[1], "SSL", r"are no certificate in PEM and its key .*\(.*mismatch"),
        (locked, "SSL", r"are no certificate in PEM and its key without a password \("),
    ):
        variables = {
            "CHURN_KAFKA_SECURITY": security,
            "CHURN_KAFKA_USER": "worker",
            "CHURN_KAFKA_PASSWORD": "whisper",
            "CHURN_KAFKA_CERTIFICATE_FILE": str(certificate[0]),
            **({"CHURN_KAFKA_KEY_FILE": str(key)} if key else {}),
        }
        with pytest.raises(InputError, match=sentence) as caught:
            read_settings(variables)
        assert "\n" not in str(caught.value)


def test_one_file_may_hold_both(tmp_path, certificate):
    both = tmp_path / "both.pem"
    both.write_bytes(certificate[0].read_bytes() + certificate[1].read_bytes())

    settings = read_settings(
        {
            "CHURN_KAFKA_SECURITY": "SSL",
            "CHURN_KAFKA_CERTIFICATE_FILE": str(both),
            "CHURN_KAFKA_KEY_FILE": str(both),
        }
    )

    assert settings.kafka_key_file == both
