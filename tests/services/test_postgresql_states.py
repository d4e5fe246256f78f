"""States on PostgreSQL: the same rows and hashes as in a file, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.integration.test_api import serving
from tests.integration.test_role_matrix import asked, routes
from tests.services.postgresql import PostgresServer, postgresql
from tests.waiting import until
from transactive.store import Store
from transactive.store.schema import METADATA, POSITIONS

pytestmark = pytest.mark.service
TIME_TAKEN = re.compile(r'"seconds":[0-9.]+')


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgresql() as made:
        yield made


@pytest.fixture
def community(tmp_path: Path, server: PostgresServer) -> Path:
    """A small community whose state shall be on the server."""
    path = write_community(tmp_path)
    path.write_text(f'{path.read_text()}\n[store]\nurl = "{server.url}"\n')
    return path


def rows_of(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a state, but for what differs between two runs of the same: names and times of files."""
    with closing(Store(folder)) as store, store.connection() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
            if table.name not in ("settings", "digests", "sources", "snapshot")
        }


def answers(folder: Path) -> dict[str, str]:
    """What page and API answer to every question without an effect."""
    with serving(folder) as client:
        paths = {asked(path) for path, method in routes(client) if method == "GET" and not path.endswith("/events")}
        found = {path: client.get(path, follow_redirects=False) for path in sorted(paths)}
    assert {path: answer.text for path, answer in found.items() if answer.status_code >= 500} == {}
    return {path: TIME_TAKEN.sub("", answer.text.replace(str(folder), "")) for path, answer in found.items()}


def hash_in(out: str) -> str:
    return str(json.loads(out)["state_hash"])


def test_a_run_leaves_the_same_rows_and_hash_as_in_a_file(tmp_path, community):
    there, here = tmp_path / "there", tmp_path / "here"
    on_server = call("run", community, "--state", there, "--json", "--no-page")
    assert on_server.code == 0, on_server.err
    community.write_text(community.read_text().partition("\n[store]")[0])
    in_file = call("run", community, "--state", here, "--json", "--no-page")
    assert hash_in(on_server.out) == hash_in(in_file.out)
    assert rows_of(there) == rows_of(here)
    assert not (there / "market.sqlite").exists()
    one, other = answers(there), answers(here)
    assert {path: text for path, text in one.items() if other[path] != text} == {}
    assert call("state", "check", "--state", there).code == 0
    refused = call("run", community, "--state", there, "--json", "--no-page")
    assert (refused.code, "its state is at postgresql://" in refused.err) == (4, True)


def test_a_backup_needs_no_server_and_a_moved_state_goes_on(tmp_path, community, server):
    state, backup, put = tmp_path / "state", tmp_path / "backup", tmp_path / "put"
    assert call("run", community, "--state", state, "--json", "--no-page").code == 0
    assert call("state", "backup", backup, "--state", state).code == 0
    assert (backup / "market.sqlite").is_file()
    assert not (backup / "market.database").exists()
    assert call("state", "restore", backup, "--state", put).code == 0
    assert call("state", "check", "--state", put).code == 0
    assert rows_of(put) == rows_of(state)
    moved = call("state", "move", server.url, "--state", put)
    assert moved.code == 0, moved.err
    assert (put / "market.database").is_file()
    assert not (put / "market.sqlite").exists()
    assert rows_of(put) == rows_of(state)
    assert call("state", "check", "--state", put).code == 0
    again = call("run", community, "--state", put, "--json", "--no-page")
    assert again.code == 0, again.err
    (put / "market.sqlite.before-move").rename(put / "market.sqlite")  # as a move that was killed leaves it
    backed = call("state", "backup", tmp_path / "another", "--state", put)
    assert backed.code == 0, backed.err


def test_a_state_moves_from_one_database_to_another(tmp_path, community, server):
    state, other = tmp_path / "state", f"{server.url}?application_name=other"
    assert call("run", community, "--state", state, "--json", "--no-page").code == 0
    rows = rows_of(state)
    first = (state / "market.database").read_text()
    moved = call("state", "move", other, "--state", state)
    assert moved.code == 0, moved.err
    assert json.loads((state / "market.database").read_text())["url"] == other
    assert (state / "market.database.before-move").read_text() == first
    assert rows_of(state) == rows


def test_a_state_whose_schema_or_server_is_gone_is_refused_and_stays_so(tmp_path, community, server):
    state = tmp_path / "state"
    assert call("run", community, "--state", state, "--json", "--no-page").code == 0
    pointer = state / "market.database"
    told = pointer.read_text()
    pointer.write_text(told.replace(f":{server.port}/", ":1/"))
    gone = call("state", "check", "--state", state)
    assert (gone.code, "run the same again" in gone.err) == (4, True), gone.err
    pointer.write_text(told)
    with closing(Store(state)) as store, store.engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(json.loads(told)["schema"], cascade=True))
    for command in (["state", "check"], ["state", "backup", tmp_path / "backup"], ["run", community, "--json"]):
        refused = call(*command, "--state", state)
        assert (refused.code, "has no schema" in refused.err) == (4, True), refused


SUITE = ("test_advice", "test_changes", "test_grid_operator", "test_sessions", "test_statement")
"""Tests of what is written and read of a state, by all that reads it."""


def test_what_holds_of_a_file_holds_on_a_server(server):
    """The same tests once more, with every state that they make on PostgreSQL."""
    tests = [f"tests/integration/{name}.py" for name in SUITE]
    options = ("-q", "-n", "0", "-p", "no:cacheprovider", "-p", "tests.services.on_postgresql", "-m", "not long")
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = alone | {"TRANSACTIVE_TEST_DATABASE": server.url}  # nothing is shared with the workers around
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=Path(__file__).parents[2],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout[-4_000:] + server.said()


def test_what_somebody_changed_on_the_server_is_named(tmp_path, community):
    state = tmp_path / "state"
    assert call("run", community, "--state", state, "--json", "--no-page").code == 0
    with closing(Store(state)) as store, store.engine.begin() as connection:
        connection.execute(sa.update(POSITIONS).values(block=b"x"))
    found = call("state", "check", "--state", state)
    assert (found.code, "table positions" in found.out) == (4, True)


def test_killed_runs_and_servers_lose_nothing(tmp_path, community, server):
    state, whole = tmp_path / "state", tmp_path / "whole"
    expected = hash_in(call("run", community, "--state", whole, "--json", "--no-page").out)
    command = [Path(sys.executable).with_name("transactive"), "run", community, "--state", state, "--json", "--no-page"]
    for victim in ("run", "server"):
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        begun = slots_in(state)
        until(lambda: slots_in(state) > begun or process.poll() is not None, "some slots")  # noqa: B023
        if victim == "run":
            process.send_signal(signal.SIGKILL)
            process.communicate()
        else:
            server.kill()
            _, said = process.communicate()
            assert process.returncode == 0 or ("run the same again" in said and "Traceback" not in said), said
            server.start()
    ended = call("run", community, "--state", state, "--json", "--no-page")
    assert ended.code == 0, ended.err
    assert hash_in(ended.out) == expected
    assert rows_of(state) == rows_of(whole)


def slots_in(state: Path) -> int:
    """Delivered slots, as somebody else sees them meanwhile."""
    if not (state / "market.database").is_file():
        return 0
    with closing(Store(state)) as store:
        return len(store.rows(sa.select(METADATA.tables["footprints"].c.slot)))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://market:secret@127.0.0.1/db", "takes no password"),
        ("postgresql:/market:secret@127.0.0.1/db", "write postgresql://user@host:5432/database"),
        ("postgresql://market@127.0.0.1?password=secret", "write postgresql://user@host:5432/database"),
        ("postgresql://market@127.0.0.1/db?sslpassword=secret", "takes no password"),
        ("postgresql://market@127.0.0.1:port/db", "write postgresql://user@host:5432/database"),
        ("mysql://market@127.0.0.1/db", "write postgresql://user@host:5432/database"),
        ("postgresql://market@127.0.0.1:1/db", "run the same again"),
        (5, "store: url must be text"),
    ],
)
def test_a_url_that_cannot_be_is_one_line(tmp_path, community, url, said):
    text = community.read_text().partition("\n[store]")[0]
    community.write_text(f"{text}\n[store]\nurl = {json.dumps(url)}\n")
    refused = call("run", community, "--state", tmp_path / "state", "--json", "--no-page")
    assert refused.code != 0
    assert said in refused.err
    assert "secret" not in refused.err
    assert "Traceback" not in refused.err
