"""A few lives through power failures; `make soak` lives five hundred."""

from typing import Any

import pytest

from tests.power.lives import WORKLOADS, Workload
from tests.power.outage import SECTOR, disk_after
from tests.power.recording import Step, sqlite
from transactive.store.databases import sqlite as sqlite_files

pytestmark = pytest.mark.skipif(sqlite() is None, reason="this Python hides the functions of its SQLite")


class Unlucky:
    """A draw under which nothing that was not synced is kept."""

    def random(self) -> float:
        return 0.0


def test_what_was_synced_is_there_and_the_rest_may_not_be():
    page = bytes(range(256)) * (SECTOR // 128)
    steps = [Step("write", "a", 0, page), Step("sync", "a"), Step("write", "a", SECTOR, b"later"), Step("write", "b")]
    assert disk_after({"c": b"old"}, steps, Unlucky()) == {"a": page, "b": b"", "c": b"old"}  # type: ignore[arg-type]


@pytest.mark.long
def test_a_database_that_does_not_sync_is_found_out(tmp_path, monkeypatch):
    """The lives see what they are for: without syncs of the log, what was told is lost."""

    def careless(connection: Any, _: object) -> None:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = off")

    monkeypatch.setattr(sqlite_files, "_durable", careless)
    workload = Workload.of("levy", tmp_path / "whole")
    assert any(workload.live(number, tmp_path).said for number in range(5))


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["levy", *(pytest.param(name, marks=pytest.mark.soak) for name in WORKLOADS if name != "levy")]
)
def test_lives_through_power_failures(name, tmp_path):
    workload = Workload.of(name, tmp_path / "whole")
    assert [step.kind for step in workload.steps].count("sync") > 100
    assert [workload.live(number, tmp_path).said for number in range(3)] == [[], [], []]
