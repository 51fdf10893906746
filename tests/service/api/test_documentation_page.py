"""/docs is read without a key and without a request to anybody else."""

import re
from urllib.parse import urljoin

import httpx
import pytest

from tests.servers.churn_api import serving


@pytest.fixture(scope="module")
def page(service):
    with service.client() as client:
        return client.get("/docs")


def test_the_root_leads_there(client):
    answer = client.get("/")

    assert answer.status_code == 307
    assert client.get("/", follow_redirects=True).url.path == "/docs"


def test_everything_it_loads_is_the_services_own(page, client):
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    script = client.get("/docs/start.js").text
    loaded += re.findall(r'url: "([^"]*)"', script)

    assert len(loaded) == 6
    for each in loaded:
        answer = client.get(urljoin("/docs", each))
        assert answer.status_code == 200, each
        assert "//" not in each
        kind = {"css": "text/css", "js": "text/javascript", "png": "image/png"}
        expected = kind.get(each.rpartition(".")[2], "application/json")
        assert answer.headers["content-type"].startswith(expected)


def test_a_browser_may_load_nothing_else_and_run_no_script_of_the_page(page):
    policy = dict(
        part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";")
    )

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<script>|<style>| on\w+=| style=", page.text)


def test_it_works_behind_a_prefix(page, client):
    assert not re.search(r'(?:src|href)="/', page.text)
    assert client.get("/").headers["location"] == "docs"


def test_it_needs_no_key_where_others_do(store, tmp_path):
    with serving(store, tmp_path, api_keys="ab" * 32) as service:
        for path in ("/", "/docs", "/docs/start.js", "/docs/swagger-ui.css", "/openapi.json"):
            assert httpx.get(f"{service.url}{path}").status_code in (200, 307)
        for path in ("/docs/other.js", "/docs/", "/metadata"):
            assert httpx.get(f"{service.url}{path}").status_code == 401
