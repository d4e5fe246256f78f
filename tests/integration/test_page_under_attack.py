"""Floods of half requests, and a page that is killed: the page answers on, and the run ends as it would."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.integration.samples import write_community
from tests.waiting import LIMIT_SECONDS, until
from transactive.links import connections
from transactive.web.serving.server import PageServer

HALF = 1_100


@pytest.fixture
def enough_files():
    """Room for both ends of the flood: they are in one process here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4 * HALF:
        pytest.fail(f"the limit of open files is {hard}, and this test needs {4 * HALF}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * HALF, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def half_request(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port))
    made.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
    return made


def test_more_half_requests_than_there_are_places_leave_room_for_whole_ones(demo_run, enough_files):
    server = PageServer(demo_run.folder, 8500, is_open=True)
    server.start()
    try:
        with ExitStack() as flood:
            for _ in range(HALF):
                flood.enter_context(half_request(server.port))
            assert httpx.get(f"{server.url}api/v1/slots", timeout=LIMIT_SECONDS).status_code == 200
            assert server.connections <= connections.most_connections()
    finally:
        server.stop()


def test_a_request_that_never_ends_is_let_go(demo_run, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.2)
    server = PageServer(demo_run.folder, 8500, is_open=True)
    server.start()
    try:
        for start in (b"", b"GET / HT", b"POST /verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nab"):
            with socket.create_connection(("127.0.0.1", server.port)) as made:
                made.sendall(start)
                made.settimeout(30)
                try:
                    while made.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
    finally:
        server.stop()


def test_a_run_outlives_its_page(sample_state, tmp_path):
    write_community(tmp_path)
    command = [
        str(Path(sys.executable).with_name("transactive")),
        "run",
        str(tmp_path / "community.toml"),
        "--json",
        "--port",
        "8520",
    ]
    run = subprocess.Popen(
        [*command, "--state", str(tmp_path / "state")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr is not None
    assert "page at http://127.0.0.1:" in run.stderr.readline()
    for page in children(run.pid):
        os.kill(page, signal.SIGKILL)
    out, err = run.communicate(timeout=LIMIT_SECONDS)
    assert run.returncode == 0, err
    assert "the page ended, the run did not" in err
    assert json.loads(out)["state_hash"] == json.loads(sample_state.with_name("printed.json").read_text())["state_hash"]


@pytest.mark.long
def test_a_killed_run_leaves_no_page(tmp_path):
    write_community(tmp_path)
    command = [
        str(Path(sys.executable).with_name("transactive")),
        "run",
        str(tmp_path / "community.toml"),
        "--stay",
        "--port",
        "8540",
    ]
    run = subprocess.Popen([*command, "--state", str(tmp_path / "state")], stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    url = run.stderr.readline().strip().removeprefix("page at ")
    assert httpx.get(url, timeout=LIMIT_SECONDS).status_code == 200
    pages = children(run.pid)
    run.kill()
    run.communicate(timeout=LIMIT_SECONDS)
    until(lambda: not any(Path(f"/proc/{page}/stat").exists() for page in pages), "the page ends with its run")


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
