"""What owners ask of their batteries, in a whole run: a level to begin with, a reserve, nothing to or from the grid."""

from __future__ import annotations

import numpy as np
import pytest

from tests.integration.samples import COMMUNITY, write_community
from transactive.carbon.certificates.storage import CERTIFIED
from transactive.config.setting import load_setting
from transactive.core.errors import ConfigError
from transactive.core.slot_book import SlotBook
from transactive.engine.kernel import Kernel
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of, slots_from
from transactive.studies.drift import Drift


@pytest.fixture
def community(tmp_path):
    """The small community; its member a has a battery of 5 kWh."""
    write_community(tmp_path)

    def asked(keys: str):
        path = tmp_path / "community.toml"
        path.write_text(COMMUNITY.replace("battery_w = ", f"{keys}\nbattery_w = ", 1))
        return path

    return asked


def walked(path) -> tuple[Kernel, list[SlotBook], Drift]:
    """A whole run, its books, and what it lost."""
    setting = load_setting(path)
    walk = recorded_run(setting, slots_from(setting))
    books: list[SlotBook] = []
    drift = Drift(walk)

    def heard(book: SlotBook) -> None:
        books.append(book)
        drift.add(book)

    walk.run(heard)
    return walk, books, drift


def charged_wh(books: list[SlotBook], walk: Kernel, first_wh: int) -> list[int]:
    """What a's battery holds after each slot, by its registers [Wh]."""
    moved = [b.readings.charge_wh - walk.devices.drawn_wh(b.readings.discharge_wh) for b in books]
    return [first_wh + int(level) for level in np.cumsum([wh[0] for wh in moved])]


def test_a_battery_begins_with_what_it_holds_and_keeps_its_reserve(community):
    walk, books, drift = walked(community("battery_initial_wh = 5_000\nbattery_reserve_wh = 2_000\n"))
    levels = charged_wh(books, walk, 5_000)
    assert levels[-1] == walk.fleet.charged_wh[0] == walk.lots.charged_wh[0]
    assert min(levels) >= 2_000
    assert min(levels) < 5_000
    assert [line.rule for line in drift.lines() if line.off] == []
    credit = bills_of(walk)[0].with_market_credit_n
    left = walk.devices.deliverable_wh(walk.fleet.charged_wh)[0] - 4_500
    assert credit == left * walk.tally.cheapest_supply  # 5,000 Wh at 90 %, that it had already, are no gain


def test_what_a_battery_held_before_the_run_gives_no_certificate(community):
    walk, books, _ = walked(community("battery_initial_wh = 6_400\n"))
    first = walk.carbon.first_lots(walk.slots[0])
    assert first.charged_wh.tolist()[0] == 6_400
    assert int(first.columns[:, :, CERTIFIED].sum()) == 0
    stored = sum(int(book.readings.charge_wh[0]) for book in books)
    given = sum(int(b.certificates.energy_wh[b.certificates.device == 1].sum()) for b in books)
    assert given <= stored
    assert sum(int(book.readings.discharge_wh[0]) for book in books) > 0


def test_a_battery_gives_nothing_to_the_grid_or_takes_nothing_from_it(community):
    free, home, own = (
        walked(community(keys))[1] for keys in ("", "battery_to_grid = false\n", "battery_from_grid = false\n")
    )

    def exported(books: list[SlotBook]) -> int:
        return sum(int(min(b.readings.discharge_wh[0], b.readings.export_wh[0])) for b in books)

    def taken(books: list[SlotBook]) -> int:
        return sum(int(min(b.readings.charge_wh[0], b.readings.import_wh[0])) for b in books)

    assert exported(free) + taken(free) > 0
    assert exported(home) == taken(own) == 0


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("battery_reserve_wh = 6_401", "a: battery_reserve_wh = 6401 is more than battery_wh = 6400"),
        ("battery_initial_wh = 6_401", "a: battery_initial_wh = 6401 is more than battery_wh = 6400"),
    ],
)
def test_what_cannot_be_kept_is_refused(community, keys, message):
    with pytest.raises(ConfigError, match=message):
        load_setting(community(keys + "\n"))


def test_rules_without_a_battery_are_refused(tmp_path):
    write_community(tmp_path)
    path = tmp_path / "community.toml"
    path.write_text(COMMUNITY.replace('id = "b"\n', 'id = "b"\nbattery_to_grid = false\n', 1))
    with pytest.raises(ConfigError, match="b: battery_to_grid = false, and there is no battery"):
        load_setting(path)
