"""The proxies of examples/proxy: what they forward needs a token, news comes at once, and TLS is all that is spoken."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.waiting import LIMIT_SECONDS, until
from transactive.cli.token.actions import create_token
from transactive.web.serving.server import PageServer

EXAMPLES = Path(__file__).parents[2] / "examples" / "proxy"
CADDY, NGINX = ((EXAMPLES / name).read_text() for name in ("Caddyfile", "nginx.conf"))
UPSTREAM = "127.0.0.1:8080"
ADDED_BY_CADDY = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "energy.example", "X-Forwarded-Proto": "https"}
"""By itself, as the documentation of `reverse_proxy` says."""


def forwarded(proxy: str) -> dict[str, str]:
    """Headers that a proxy sets on what it forwards, as its file says."""
    if proxy == "caddy":
        return dict(re.findall(r"header_up (\S+) (\S+)", CADDY)) | ADDED_BY_CADDY
    said = dict(re.findall(r"proxy_set_header (\S+) ([^;]*);", NGINX))
    known = {"$proxy_add_x_forwarded_for": "203.0.113.9", "$scheme": "https"}
    return {name: known.get(value, value.strip('"')) for name, value in said.items()}


@pytest.fixture(scope="module")
def page(sample_state, tmp_path_factory) -> Iterator[tuple[PageServer, str]]:
    """The page of a state that is open to whoever sits at this machine, and a token."""
    folder = tmp_path_factory.mktemp("proxied")
    (folder / "market.sqlite").write_bytes((sample_state / "market.sqlite").read_bytes())
    token = create_token(folder, "operator", None)
    server = PageServer(folder, 8470, is_open=True)
    server.start()
    yield server, token
    server.stop()


@pytest.mark.parametrize("proxy", ["caddy", "nginx"])
def test_what_a_proxy_forwards_needs_a_token_and_is_answered(page, proxy):
    server, token = page
    assert httpx.get(server.url).status_code == 200  # as the state is open here
    headers = forwarded(proxy)
    assert headers["Host"] == UPSTREAM
    refused = httpx.get(server.url, headers=headers)
    assert (refused.status_code, "www-authenticate" in refused.headers) == (401, True)
    own = {**headers, "Authorization": f"Bearer {token}"}
    assert httpx.get(server.url, headers=own).status_code == 200
    form = {**own, "Sec-Fetch-Site": "same-origin", "Origin": "https://energy.example"}
    assert httpx.put(f"{server.url}items/1/closed", headers=form).status_code == 404  # past the check of the origin
    assert httpx.put(f"{server.url}items/1/closed", headers={**form, "Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("proxy", ["caddy", "nginx"])
def test_people_are_invited_and_join_through_a_proxy_by_its_name(page, proxy):
    server, token = page
    headers = {**forwarded(proxy), "Origin": "https://energy.example", "Sec-Fetch-Site": "same-origin"}
    operator = {**headers, "Authorization": f"Bearer {token}"}
    told = httpx.post(f"{server.url}account/invitations", headers=operator, data={"scope": "auditor"}).text
    code = told.partition("https://energy.example/join#")[2].partition("<")[0]
    form = {"code": code, "name": f"by {proxy}", "password": "correct horse battery"}
    joined = httpx.post(f"{server.url}join", headers=headers, data=form)
    assert (joined.status_code, "Secure" in joined.headers["set-cookie"]) == (303, True)
    plain = {**headers, "X-Forwarded-Proto": "http"}
    assert httpx.post(f"{server.url}sign-in", headers=plain, data={"name": "x", "password": "y"}).status_code == 403


def test_only_tls_is_served_to_others_and_news_is_not_held_back():
    assert re.search(r"listen 80;.*?return 301 https://", NGINX, re.DOTALL)
    assert re.findall(r"ssl_protocols ([^;]*);", NGINX) == ["TLSv1.2 TLSv1.3"]
    assert "proxy_buffering off" in NGINX
    assert "flush_interval -1" in CADDY
    assert re.search(r"^energy\.example \{", CADDY, re.MULTILINE)  # a name without http:// gets TLS and a redirect
    assert all(f"http://{UPSTREAM}" in text or f"reverse_proxy {UPSTREAM}" in text for text in (CADDY, NGINX))
    assert all("Strict-Transport-Security" in text for text in (CADDY, NGINX))


def test_those_that_are_installed_start_and_forward(page, tmp_path):
    server, token = page
    installed = [(name, start) for name, start in (("caddy", caddy), ("nginx", nginx)) if shutil.which(name)]
    for name, start in installed:
        folder = tmp_path / name
        folder.mkdir()
        with start(folder, server.port) as url, httpx.Client(verify=False) as client:
            until(partial(answers, client, url), f"{name} answers")
            assert client.get(url).status_code == 401
            with client.stream(
                "GET", f"{url}api/v1/events", headers={"Authorization": f"Bearer {token}"}, timeout=LIMIT_SECONDS
            ) as news:
                assert "event: cleared" in "".join(line for _, line in zip(range(8), news.iter_lines(), strict=False))


def answers(client: httpx.Client, url: str) -> bool:
    """Whether a proxy is up."""
    try:
        return client.get(url).status_code != 502
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    """A program that ends with the block and keeps its data in a folder."""
    home = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=home)
    try:
        yield
    finally:
        child.terminate()
        child.wait()


@contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[str]:
    """Caddy with the example, at another port and with a certificate of its own."""
    port = free_port()
    text = CADDY.replace(UPSTREAM, f"127.0.0.1:{upstream}")
    text = text.replace("energy.example {", f"https://localhost:{port} {{\n\ttls internal", 1)
    (folder / "Caddyfile").write_text(
        f"{{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}}\n{text}"
    )
    with running(["caddy", "run", "--config", str(folder / "Caddyfile")], folder):
        yield f"https://localhost:{port}/"


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[str]:
    """Nginx with the example, at another port, in a folder of its own and with a certificate of its own."""
    port, plain = free_port(), free_port()
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    text = NGINX.replace(UPSTREAM, f"127.0.0.1:{upstream}").replace("/etc/ssl/energy.example", str(folder))
    text = re.sub(r"listen \[::\]:\d+[^;]*;", "", text)
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("listen 80", f"listen 127.0.0.1:{plain}")
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"    {name}_temp_path {folder}/{name};\n" for name in places)
    text = text.replace("http {", f"http {{\n    access_log off;\n{own}", 1)
    (folder / "nginx.conf").write_text(f"daemon off;\npid {folder}/pid;\nerror_log {folder}/errors;\n{text}")
    with running(["nginx", "-e", str(folder / "errors"), "-p", str(folder), "-c", str(folder / "nginx.conf")], folder):
        yield f"https://localhost:{port}/"
