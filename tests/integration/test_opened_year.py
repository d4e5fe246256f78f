"""The short check before each opening takes no longer as a state grows: a year of slots, opened as quickly as a day."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from time import process_time

import pytest

from transactive.bench.runs.simulation import START, neighbourhood
from transactive.core.slots import parse_time
from transactive.engine.replay import replay
from transactive.store import FILE, Store
from transactive.store.databases import dialect
from transactive.store.schema import DIGESTS, ITEMS, METADATA, MODEL_EVENTS
from transactive.store.sealing import put_digests, seal

HOUR, DAY, DAYS = 3_600, 86_400, 365
FOUND = 10
"""Findings a home and year, beside as many events of models: what grows, and is read whole."""


def opened(folder: Path) -> float:
    """Processor time of an opening with its check, the least of five [s]."""
    seconds = []
    for _ in range(5):
        began = process_time()
        Store(folder).close()
        seconds.append(process_time() - began)
    return min(seconds)


def fill_year(folder: Path, homes: int) -> None:
    """Copy the slots of the one day in a state to all days of a year, and seal what an opening looks at."""
    with closing(sqlite3.connect(folder / FILE)) as database:
        for table in METADATA.sorted_tables:
            keys = [column.name for column in table.primary_key]
            if "slot" in keys:
                names = [column.name for column in table.columns]
                shifted = ", ".join(f'"{name}" + ?' if name == "slot" else f'"{name}"' for name in names)
                copied = f"insert into {table.name} select {shifted} from {table.name} where slot between ? and ?"
                first, last = database.execute(
                    f"select min(slot), max(slot) from {table.name} where slot >= 0"
                ).fetchone()
                for day in range(1, DAYS) if first is not None else ():
                    database.execute(copied, (day * DAY, first, last))
        for number in range(homes * FOUND):
            item = (number, number % homes, 0, HOUR, 100, 500_000, 0, 0, 0, 0, "meter", '{"evidence": "of a finding"}')
            database.execute(f"insert or replace into items values ({', '.join('?' * len(item))})", item)
            event = (10**6 + number, "net_load", '{"event": "a challenger was trained and looked at"}')
            database.execute("insert into model_events values (?, ?, ?)", event)
        database.commit()
    engine = dialect.engine(folder / FILE)
    with engine.begin() as connection:
        last = max(slot for (slot,) in connection.exec_driver_sql("select max(slot) from footprints"))
        for table in (ITEMS, MODEL_EVENTS):
            seal(connection, table)
        for table in METADATA.sorted_tables:
            if "slot" in table.c and table is not DIGESTS:
                seal(connection, table, [last])
        put_digests(connection, last, {})
    engine.dispose()


@pytest.mark.parametrize("homes", [pytest.param(5, marks=pytest.mark.long), pytest.param(500, marks=pytest.mark.soak)])
def test_a_year_is_opened_as_quickly_as_a_day(homes, tmp_path):
    setting, first = neighbourhood(homes, days=1, quarters=1), parse_time(START)
    state = tmp_path / "state"
    replay(setting, range(first, first + DAY, HOUR), state, seed="transactive")
    day = opened(state)
    fill_year(state, homes)
    year, size = opened(state), (state / FILE).stat().st_size
    print(f"{homes} homes, {DAYS * 24} slots, {size / 1e6:,.0f} MB: opened in {year:.2f} s, a day in {day:.2f} s")
    assert year < 6 * day
    shutil.rmtree(state)
