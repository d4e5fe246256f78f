"""Where the page is served."""

import socket

import httpx

from transactive.web.serving.server import PageServer


def test_busy_port_gives_the_next_free_one(demo_run):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 8390))
        busy.listen()
        server = PageServer(demo_run.folder, 8390, is_open=True)
        server.start()
        try:
            assert server.port > 8390
            assert httpx.get(server.url).status_code == 200
        finally:
            server.stop()
