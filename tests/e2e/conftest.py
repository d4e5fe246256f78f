"""Chromium for the tests of the page; a run whose page is served from before its first slot, and one that is over."""

import shutil
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.shared import made_once
from tests.tools import missing
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.slots import parse_time
from transactive.engine.replay import replay, slots_of
from transactive.store.schema import METADATA, SETTINGS
from transactive.store.sealing import seal
from transactive.web.serving.server import PageServer

QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")  # not longer: Playwright keeps an event loop running in this thread meanwhile
def chromium():
    """A browser: the system's, or the one that `make test-tools` put into the environment."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    own = (Path(sys.prefix) / "tooling" / "browsers").glob("chromium*/*/*headless*shell")
    path = next(filter(None, map(shutil.which, names)), None) or next(own, None)
    if path is None:
        missing("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Replay:
    """A run that waits for its signal, and the page that shows it."""

    url: str
    folder: Path
    thread: threading.Thread
    slots: range

    def begin(self) -> None:
        if not self.thread.is_alive():
            self.thread.start()

    def finish(self) -> None:
        if self.thread.ident is None:
            self.begin()
        self.thread.join()


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Iterator[Replay]:
    """Two days of the demo, in this process as `transactive demo` does it."""
    folder = tmp_path_factory.mktemp("live")
    setting = load_setting(DEMO)
    slots = slots_of(setting, parse_time("2017-06-05T00:00Z"), 2)
    server = PageServer(folder, 8420, is_open=True)
    server.start()
    run = Replay(
        server.url.rstrip("/"),
        folder,
        threading.Thread(target=replay, args=(setting, slots, folder), kwargs={"seed": "live"}),
        slots,
    )
    try:
        yield run
    finally:
        if run.thread.ident is not None:
            run.thread.join()
        server.stop()


@dataclass(frozen=True)
class Finished:
    """A run that is over, and the page that shows it."""

    url: str
    folder: Path
    slots: range


@pytest.fixture(scope="module")
def two_days(tmp_path_factory) -> Iterator[Finished]:
    """Two days of the demo, run once for all modules and workers; each module has a page and a copy of its own."""
    setting = load_setting(DEMO)
    slots = slots_of(setting, parse_time("2017-06-05T00:00Z"), 2)

    def make(folder: Path) -> None:
        replay(setting, slots, folder, seed="live")

    folder = made_once(tmp_path_factory, "two-days", make)
    server = PageServer(folder, 8420, is_open=True)
    server.start()
    try:
        yield Finished(server.url.rstrip("/"), folder, slots)
    finally:
        server.stop()


@pytest.fixture
def demo_half(live, tmp_path) -> Iterator[PageServer]:
    """The page of a run that was interrupted in the middle of its second day."""
    live.finish()
    middle = live.slots[len(live.slots) * 3 // 4]
    with (
        closing(sqlite3.connect(live.folder / "market.sqlite")) as whole,
        closing(sqlite3.connect(tmp_path / "market.sqlite")) as half,
    ):
        whole.backup(half)
        for table in (table for table in METADATA.sorted_tables if "slot" in table.c):
            half.execute(f"delete from {table.name} where slot > ?", (middle,))
        half.execute("delete from settings where key = 'outcome'")
        half.commit()
    database = sa.create_engine(f"sqlite:///{tmp_path / 'market.sqlite'}")
    with database.begin() as connection:
        seal(connection, SETTINGS)
    database.dispose()
    server = PageServer(tmp_path, 8440, is_open=True)
    server.start()
    try:
        yield server
    finally:
        server.stop()
