"""API keys: a list that is set and empty is refused, and two different keys in a request are one too many."""

import os

import pytest

from churn.errors import InputError
from service.api.request_headers import read_head
from service.api.service_settings import read_settings
from service.core.keys import Keyring, new_key


@pytest.mark.parametrize("empty", ["", ",", " ", " , ,\t"])
@pytest.mark.parametrize("mode", ["development", "production"])
def test_a_list_of_keys_that_is_set_and_empty_is_refused(empty, mode):
    with pytest.raises(InputError, match=r"CHURN_API_KEYS .* lists no key") as refused:
        read_settings({"CHURN_API_KEYS": empty, "CHURN_ENVIRONMENT": mode})

    assert len(str(refused.value).splitlines()) == 1


def test_an_empty_name_of_a_key_file_is_refused():
    with pytest.raises(InputError, match="CHURN_API_KEY_FILE"):
        read_settings({"CHURN_API_KEY_FILE": ""})


@pytest.mark.parametrize("digests", [(), (new_key()[1],)])
@pytest.mark.parametrize("content", ["", "\n \n", "# nobody\n"])
def test_a_key_file_without_a_key_is_refused_whatever_other_keys_there_are(
    tmp_path, content, digests
):
    file = tmp_path / "keys"
    file.write_text(content)

    with pytest.raises(InputError, match=f"{file} lists no key"):
        Keyring(digests, str(file))


def test_a_file_that_is_emptied_later_leaves_no_key_of_it_valid(tmp_path):
    key, digest = new_key()
    file = tmp_path / "keys"
    file.write_text(digest)
    keyring = Keyring((), str(file))
    assert keyring.is_valid(key.encode())

    file.write_text("")

    assert keyring.reload_if_changed()
    assert not keyring.is_valid(key.encode())


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "huge"])
def test_a_key_file_that_is_none_is_named_without_waiting(tmp_path, kind):
    file = tmp_path / "keys"
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "device":
            file.symlink_to("/dev/zero")
        case "huge":
            file.write_bytes(b"\n" * (2**20 + 1))

    with pytest.raises(InputError, match=f"The key file {file} cannot be read: it is "):
        Keyring((), str(file))


X, BEARER = b"x-api-key", b"authorization"


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([], b""),
        ([(X, b"a")], b"a"),
        ([(X, b" a ")], b"a"),
        ([(BEARER, b"Bearer a")], b"a"),
        ([(BEARER, b"bearer  a ")], b"a"),
        ([(BEARER, b"Basic a")], b""),
        ([(X, b"a"), (BEARER, b"Basic b")], b"a"),
        ([(X, b""), (BEARER, b"Bearer a")], b"a"),
        ([(BEARER, b"Bearer a"), (X, b"")], b"a"),
        ([(X, b"a"), (X, b"a"), (BEARER, b"Bearer a")], b"a"),
        ([(X, b"a"), (X, b"b")], None),
        ([(X, b"a"), (BEARER, b"Bearer b")], None),
        ([(BEARER, b"Bearer b"), (X, b"a")], None),
        ([(BEARER, b"Bearer a"), (BEARER, b"Bearer b")], None),
        ([(X, b"a"), (X, b"b"), (X, b"a")], None),
        ([(X, b"a"), (X, b"b"), (X, b"b")], None),
    ],
)
def test_a_request_has_one_key_however_often_it_is_sent(headers, key):
    assert read_head(headers).key == key


def test_another_file_of_the_same_size_and_time_is_read(tmp_path):
    (first, first_digest), (second, second_digest) = new_key(), new_key()
    file, fresh = tmp_path / "keys", tmp_path / "fresh"
    for path, digest in ((file, first_digest), (fresh, second_digest)):
        path.write_text(digest)
        os.utime(path, (1, 1))
    keyring = Keyring((), str(file))

    fresh.replace(file)

    assert keyring.reload_if_changed()
    assert not keyring.reload_if_changed()
    assert [keyring.is_valid(key.encode()) for key in (first, second)] == [False, True]


def test_every_listed_key_is_valid_and_no_other(tmp_path):
    pairs = [new_key() for _ in range(4)]
    file = tmp_path / "keys"
    file.write_text("".join(f"{digest}\n" for _, digest in pairs[2:]))
    keyring = Keyring([digest for _, digest in pairs[:2]], str(file))

    assert all(keyring.is_valid(key.encode()) for key, _ in pairs)
    assert not any(keyring.is_valid(digest.encode()) for _, digest in pairs)
