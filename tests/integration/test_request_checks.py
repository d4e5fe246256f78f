"""Whatever is asked, and from wherever: an answer or a problem, never a traceback; no step of another site is taken."""

import base64
import sys

import pytest

from tests.integration.test_api import LOCAL, serving

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
ODD = (
    *("/static/%00", "/static/%0a", "/static/..%2f..%2fpyproject.toml", "/members/%00", "/slots/%ff", "/%7f"),
    "/api/v1/%00",
)


@pytest.fixture(scope="module")
def client(demo_run):
    with serving(demo_run.folder) as client:
        yield client


def addresses(client) -> list[str]:
    """Every route of the application, with a name in place of each parameter."""
    paths = {route.path.replace("{", "").replace("}", "") for route in client.app.routes}
    return sorted(path for path in paths if not path.endswith("/events") and "/schema" not in path)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_every_route_gets_an_answer(client, method):
    for path in (*addresses(client), *ODD):
        answer = client.request(method, path)
        assert answer.status_code < 500, (method, path, answer.text)
        if answer.status_code >= 400 and path.startswith("/api/") and method != "HEAD":
            assert answer.headers["content-type"].startswith("application/problem+json"), (method, path)
    assert client.get("/static/%00").status_code == client.get("/api/v1/%00").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://["}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "https://["}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy"}, 200),
        ({"origin": LOCAL}, 200),
        ({}, 200),
    ],
)
def test_a_form_of_another_site_is_not_taken(client, headers, status):
    sent = client.post("/verify", files={"file": ("x.json", b"{}")}, headers=headers)
    assert sent.status_code == status, sent.text
    page = client.get("/verify", headers=headers)  # a link from elsewhere is welcome
    assert page.status_code == 200


def test_the_command_of_the_verify_page_can_be_pasted_whatever_the_file_is_called(client):
    name = "a b;touch pwned.json"
    page = client.post("/verify", files={"file": (name, b"{}")}).text
    assert "transactive verify &#39;a b;touch pwned.json&#39; --node URL" in page
    assert "transactive verify ./-x.json --node URL" in client.post("/verify", files={"file": ("-x.json", b"{}")}).text


def test_what_is_nested_without_end_is_refused_and_ends_no_server(client):
    """A limit of 100,000 calls, which a library sets, lets decoders of JSON run over the stack: the process is gone."""
    assert sys.getrecursionlimit() <= 10_240
    deep = base64.urlsafe_b64encode(b"[" * 30_000).decode()
    local = LOCAL.replace("127.0.0.1", "localhost")
    sent = client.post(
        f"{local}/sign-in/passkey",
        json={"credential": {"response": {"clientDataJSON": deep}}},
        headers={"origin": local},
    )
    assert sent.status_code == 400
    assert "no answer of a passkey" in sent.json()["failed"]
    body = b'{"credential":' + b"[" * 30_000
    assert client.post(f"{local}/sign-in/passkey", content=body, headers={"origin": local}).status_code == 400
