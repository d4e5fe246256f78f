"""Callbacks of others: who answers the challenge is told over TLS, and nobody is reached that was not named."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.tls import own_certificate
from transactive.core.errors import InputError
from transactive.links.callbacks import Callbacks


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Somebody's server: /echo says back, /wrong says something else, /away sends elsewhere; what each heard."""
    heard: list[tuple[str, str, bytes]] = []

    class Place(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, echo = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query).get("echo", [""])[0]
            heard.append((path, "", b""))
            self.send_response(302 if path == "/away" else 200)
            self.send_header("Location", "/echo")
            self.end_headers()
            self.wfile.write({"/echo": echo, "/wrong": echo[1:]}.get(path, "").encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers.get("Authorization", ""), body))
            self.send_response(200 if self.path == "/echo" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    certificate, key = own_certificate(tmp_path_factory.mktemp("tls"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Place) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://localhost:{server.server_port}", Callbacks(str(certificate), inside=True), heard
        server.shutdown()
        thread.join()


def test_who_says_back_what_it_is_asked_is_told_with_its_token(place):
    url, callbacks, heard = place
    callbacks.check(f"{url}/echo")
    callbacks.check(f"{url}/echo?mine=1")
    heard.clear()
    callbacks.tell(f"{url}/echo", "abc", b'{"a": 1}')
    assert heard == [("/echo", "Bearer abc", b'{"a": 1}')]
    with pytest.raises(OSError, match="500"):
        callbacks.tell(f"{url}/other", "", b"{}")


@pytest.mark.parametrize(
    ("path", "why"), [("/wrong", "does not say back"), ("/nothing", "does not say back"), ("/away", "does not answer")]
)
def test_who_does_not_is_refused_and_nobody_is_followed(place, path, why):
    url, callbacks, heard = place
    heard.clear()
    with pytest.raises(InputError, match=why):
        callbacks.check(f"{url}{path}")
    assert [where for where, *_ in heard] == [path]


def test_nobody_is_reached_inside_or_without_a_certificate_that_is_trusted(place):
    url, callbacks, heard = place
    heard.clear()
    with pytest.raises(InputError, match="in this network"):
        Callbacks().check(f"{url}/echo")
    with pytest.raises(InputError, match="does not answer"):
        Callbacks(inside=True).check(f"{url}/echo")
    for wrong in (url.replace("https", "http"), url.replace("//", "//me:secret@"), "https://", "ftp://a", "https://["):
        with pytest.raises(InputError):
            callbacks.check(wrong)
    assert heard == []
