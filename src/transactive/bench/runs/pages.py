"""Every page on a year of the demo and on a street of 500 homes: its weight, and the processor time that it takes.

The weight is that of the page itself, before compression. The first answer counts what a run has said so far and
is left out; of the following the median stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.simulation import START, neighbourhood
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.errors import RuleBroken
from transactive.core.slots import parse_time, time_text
from transactive.engine.replay import replay, slots_of
from transactive.store import Store
from transactive.store.read.runs import Reader

BEGIN, DAYS = "2016-08-08T07:00Z", 358
"""The year: as much as the demo's data hold after a week of history."""
STREET, SLOTS, HOUR = 500, 26, 3_600
TIMES = 5
PATHS = (
    *("/", "/?span=year", "/member", "/member?span=year", "/carbon", "/carbon?span=month", "/grid", "/models"),
    *("/compare", "/bills", "/readings", "/explorer", "/verify", "/slots/{slot}", "/explorer/slots/{slot}"),
    "/explorer/slots/{slot}/{member}",
)


@bench("pages", summary="weight and processor time of every page, on a year and on 500 homes")
def pages(_: BenchTimer) -> Iterator[Row]:
    """Replay both communities, then ask for each page; a row for the heaviest, the slowest, and each of them."""
    first = parse_time(START)
    year = load_setting(DEMO)
    yield from _of("a year", year, slots_of(year, parse_time(BEGIN), DAYS))
    street = neighbourhood(STREET, days=2, quarters=1)
    yield from _of(f"{STREET} homes", street, range(first, first + SLOTS * HOUR, HOUR))


def _of(name: str, setting: Setting, slots: range) -> Iterator[Row]:
    """Rows of one community."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        replay(setting, slots, folder, seed="pages")
        found = measured(folder, time_text(slots[len(slots) * 3 // 4]), setting.community.ids[-1])
    yield Row(name=f"{name}: heaviest page", value=max(size for _, size, _ in found) / 1000, unit="kB")
    yield Row(name=f"{name}: slowest page", value=max(seconds for *_, seconds in found), unit="s")
    for path, size, seconds in found:
        yield Row(name=f"{name}: {path}", value=size / 1000, unit="kB")
        yield Row(name=f"{name}: {path}, processor time", value=seconds, unit="s")


def measured(folder: Path, slot: str, member: str, paths: Sequence[str] = PATHS) -> list[tuple[str, int, float]]:
    """Bytes and processor time [s] of each page of a state, as the operator sees it on this machine.

    Raises RuleBroken for a page that does not answer.
    """
    from litestar.testing import TestClient

    from transactive.web.app import build_app
    from transactive.web.change_feed import ChangeFeed

    found = []
    with closing(Store(folder)) as store:
        app = build_app(folder, ChangeFeed(Reader(store)), local=True)
        with TestClient(app, base_url="http://127.0.0.1:8080") as client:
            for path in paths:
                url, took = path.format(slot=slot, member=member), []
                for _ in range(TIMES + 1):
                    began = process_time()
                    answer = client.get(url)
                    took.append(process_time() - began)
                if answer.status_code != 200:
                    raise RuleBroken(f"{url} answers {answer.status_code}; please report this with the command you ran")
                found.append((path, len(answer.content), median(took[1:])))
    return found
