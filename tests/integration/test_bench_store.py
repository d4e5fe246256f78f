"""The bench of a slot with chain and database: what it counts, and which of its two goals holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.integration.conftest import call
from transactive.bench import registry
from transactive.bench.measure import BenchTimer, growth_exponent
from transactive.bench.runs import daily, store
from transactive.bench.runs.simulation import neighbourhood
from transactive.bench.targets import load_targets
from transactive.store.files import bytes_at_rest

HOMES = 6


@pytest.fixture(scope="module")
def setting():
    return neighbourhood(HOMES, days=1, quarters=1)


def test_a_slot_costs_what_a_run_grows_by(setting, monkeypatch):
    monkeypatch.setattr(store, "FEW", 3)
    monkeypatch.setattr(store, "MANY", 8)
    monkeypatch.setattr(store, "EVERY", 2)
    seen = store.walked(setting)
    assert seen.seen == 8
    assert 0 < seen.books <= HOMES * 5  # of the slots that are counted, each at most a book a home
    assert 0 < seen.a_slot < seen.seconds[2]
    assert len(seen.alone) == 3  # after the slots 4, 6 and 8
    assert sum(seen.alone) < seen.apart < seen.seconds[2] - seen.seconds[1]
    assert seen.bytes[1] == pytest.approx(seen.fixed_bytes + 8 * seen.bytes_a_slot)


def test_a_start_is_timed_apart_from_the_comparison_of_balances(setting):
    made, compared = store.start(setting)
    assert made > 0
    assert compared > 0


def test_a_slot_may_take_its_goal_or_half_more_than_the_cryptography_that_exceeds_it():
    quick, _ = store.slot_rows(store.STREET, a_slot=0.12, books=500, a_book=store.AT_REST)
    assert quick.reference_value == pytest.approx(0.1)
    assert quick.ratio == pytest.approx(1.2)
    many = round(0.11 / store.AT_REST)
    slow, beside = store.slot_rows(store.STREET, a_slot=0.12, books=many, a_book=store.AT_REST)
    assert slow.reference_value == pytest.approx(0.165, rel=0.01)
    assert slow.ratio == pytest.approx(0.12 / 0.165, rel=0.01)
    assert "alone is over the goal" in (slow.reference or "")
    assert beside.ratio == pytest.approx(0.12 / 0.11, rel=0.01)


def test_a_machine_on_which_signing_takes_longer_is_given_as_much_longer():
    idle, busy = (
        next(store.slot_rows(store.STREET, a_slot=0.12 * slower, books=500, a_book=store.AT_REST * slower))
        for slower in (1, 1.7)
    )
    assert busy.ratio == pytest.approx(idle.ratio)
    assert "x 1.70" in (busy.reference or "")


def test_every_target_has_a_row_and_runs_can_be_told(setting, monkeypatch):
    monkeypatch.setattr(store, "FEW", 1)
    monkeypatch.setattr(store, "MANY", 2)
    monkeypatch.setattr(store, "EVERY", 1)
    monkeypatch.setattr(store, "neighbourhood", lambda *_, **__: setting)
    monkeypatch.setattr(daily, "MEMBERS", (2, 4))
    monkeypatch.setattr(daily, "_a_day", lambda members: {"detection": members / 2, "advice": members**2.0})
    started: list[float] = []

    def start(_: object) -> tuple[float, float]:
        started.append(1.0 + len(started))
        return started[-1], 0.1

    monkeypatch.setattr(store, "start", start)
    rows = {row.name: row for row in store.store(BenchTimer(runs=2))}
    assert rows["500 members: set-up"].value == 1.5
    assert rows["4,090 members: set-up"].value == 3.5
    assert {target.name for target in load_targets(registry.names()) if target.bench == "store"} <= rows.keys()
    assert rows["growth of detection with the members"].value == pytest.approx(1)
    assert rows["growth of advice with the members"].value == pytest.approx(2)


def test_an_exponent_is_the_slope_of_logarithms():
    assert growth_exponent([1, 10, 100], [3, 30, 300]) == pytest.approx(1)
    assert growth_exponent([500, 1000], [1, 4]) == pytest.approx(2)


def test_bytes_are_those_of_all_files_once_the_log_is_written_back(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table t (x blob)")
        connection.execute("insert into t values (zeroblob(50000))")
        connection.commit()
        assert (tmp_path / "a.sqlite-wal").stat().st_size > 50_000
        (tmp_path / "other").write_bytes(bytes(100))
        found = bytes_at_rest(tmp_path)
        assert (tmp_path / "a.sqlite-wal").stat().st_size == 0
        rest = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert found == rest > 50_100


def test_no_run_is_no_measurement():
    assert call("bench", "store", "--runs", "0").code == 3
