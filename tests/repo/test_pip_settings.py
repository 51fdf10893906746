"""Where packages come from is said once, to pip; uv hears the same."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def pip_settings(root: Path):
    spec = importlib.util.spec_from_file_location("pip_settings", root / "tools/pip_settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_index_wheels_and_a_certificate_reach_uv(pip_settings):
    listing = """\
global.cert='/etc/corporate.pem'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.find-links='/wheels https://three.example/wheels'
global.index-url='https://user:secret@index.example/simple'
global.trusted-host='index.example'
install.default-timeout='90'
"""

    handed = pip_settings.for_uv(pip_settings.parse(listing), {})

    assert handed == {
        "SSL_CERT_FILE": "/etc/corporate.pem",
        "UV_DEFAULT_INDEX": "https://user:secret@index.example/simple",
        "UV_FIND_LINKS": "/wheels,https://three.example/wheels",
        "UV_HTTP_TIMEOUT": "90",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INSECURE_HOST": "index.example",
    }


@pytest.mark.parametrize(
    ("listing", "winner"),
    [
        ("global.index-url='https://g'\n:env:.index-url='https://e'", "https://e"),
        ("install.index-url='https://i'\nglobal.index-url='https://g'", "https://i"),
        (":env:.index-url='https://e'\ninstall.index-url='https://i'", "https://e"),
    ],
)
def test_the_section_pip_would_follow_wins(pip_settings, listing, winner):
    assert pip_settings.parse(listing) == {"index-url": winner}


def test_the_user_settings_of_uv_stay(pip_settings):
    handed = pip_settings.for_uv(
        {"index-url": "https://pip.example", "cert": "/pip.pem"},
        {"UV_DEFAULT_INDEX": "https://uv.example", "SSL_CERT_FILE": "/own.pem"},
    )

    assert "UV_DEFAULT_INDEX" not in handed
    assert "SSL_CERT_FILE" not in handed


def test_a_machine_with_nothing_configured_uses_the_public_index_and_torch_for_cpus(pip_settings):
    assert pip_settings.for_uv(pip_settings.parse(""), {}) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_TORCH_BACKEND": "cpu",
    }


@pytest.mark.parametrize(
    "setting",
    [
        "global.find-links='/wheels'",
        "global.index-url='https://mirror.example/simple'",
        "install.extra-index-url='https://more.example/simple'",
        ":env:.no-index='1'",
    ],
)
def test_whoever_has_places_of_their_own_gets_torch_from_there(pip_settings, setting):
    assert "UV_TORCH_BACKEND" not in pip_settings.for_uv(pip_settings.parse(setting), {})


def test_another_build_of_torch_can_be_asked_for(pip_settings):
    assert "UV_TORCH_BACKEND" not in pip_settings.for_uv({}, {"UV_TORCH_BACKEND": "cu130"})


def test_lines_that_are_no_settings_are_passed_over(pip_settings):
    listing = "WARNING: something\nhash.algorithm='sha512'\nglobal.broken=not quoted\n"

    assert pip_settings.parse(listing) == {}
