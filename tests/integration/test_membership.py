"""People join and leave, have several meters, and own plants together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from transactive.config.setting import Setting, load_setting
from transactive.core.errors import ConfigError, DataError
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import HOUR, parse_time, time_text
from transactive.engine.kernel import Kernel
from transactive.engine.recorded import recorded_run

FIRST, DAYS = parse_time("2024-06-01T00:00Z"), 4
START = parse_time("2024-06-03T00:00Z")
CHANGE = "2024-06-04T12:00Z"
TEXT = """
name = "Street"
currency = "EUR"
[market]
[tariff]
supply = "28 ct/kWh"
feed_in = "8 ct/kWh"
network_fee = "3 ct/kWh"
[accounts]
opening = "100 EUR"
top_up_below = "50 EUR"
top_up_to = "100 EUR"
[carbon]
pv = "45 g/kWh"
grid = "350 g/kWh"
[carbon.levy]
mode = "fixed"
[data]
readings = "readings.csv"
[[members]]
id = "roof"
pv = "10 kW"
[[members]]
id = "bert"
[[members]]
id = "cara"
"""


def readings(meters: Mapping[str, Callable[[int], tuple[int, int]]], gone: tuple[str, str, str] | None = None) -> str:
    """Hourly rows: consumption and generation of each meter by hour; gone: a meter without rows from … until."""
    lines = ["slot_start,member,consumption_wh,generation_wh"]
    for hour in range(24 * DAYS):
        at = FIRST + hour * HOUR
        for meter, of in meters.items():
            if gone and meter == gone[0] and parse_time(gone[1]) <= at < parse_time(gone[2]):
                continue
            lines.append(",".join([time_text(at), meter, *map(str, of(hour))]))
    return "\n".join(lines) + "\n"


def sun(hour: int) -> tuple[int, int]:
    return 100, max(0, 6 - abs(hour % 24 - 12)) * 300 + hour % 7


def home(hour: int) -> tuple[int, int]:
    return 500 + hour * 37 % 400, 0


STREET: dict[str, Callable[[int], tuple[int, int]]] = {"roof": sun, "bert": home, "cara": home}


def setting(folder: Path, *changes: tuple[str, str], rows: str | None = None) -> Setting:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "street.toml").write_text(text)
    (folder / "readings.csv").write_text(rows or readings(STREET))
    return load_setting(folder / "street.toml")


@dataclass(frozen=True)
class Ran:
    books: list[SlotBook]
    kernel: Kernel

    def received(self, kind: PostingKind, member: int, before: int = 2**62, since: int = 0) -> int:
        """What a member received by postings of a kind [n¤], in slots from … before."""
        found = 0
        for book in self.books:
            if since <= book.slot < before:
                p = book.postings
                found += int(p.amount_n[(p.kind == kind) & (p.payee == member)].sum())
        return found


def ran(of: Setting) -> Ran:
    books: list[SlotBook] = []
    kernel = recorded_run(of, range(START, of.measured_end, HOUR))
    kernel.run(books.append)
    return Ran(books, kernel)


@pytest.fixture(scope="module")
def moved(tmp_path_factory) -> Ran:
    """Bert leaves and cara joins at noon of the fourth day; neither has a reading outside."""
    rows = readings(STREET, ("bert", CHANGE, "2030-01-01T00:00Z"))
    rows = "\n".join(
        line for line in rows.splitlines() if ",cara," not in line or parse_time(line[:17]) >= parse_time(CHANGE)
    )
    changes = (('id = "bert"', f'id = "bert"\nuntil = "{CHANGE}"'), ('id = "cara"', f'id = "cara"\nsince = "{CHANGE}"'))
    return ran(setting(tmp_path_factory.mktemp("moved"), *changes, rows=rows))


@pytest.mark.parametrize("kind", [PostingKind.DIVIDEND, PostingKind.LEVY_RETURN])
def test_what_belongs_to_all_goes_to_those_who_were_members(moved, kind):
    change = parse_time(CHANGE)
    assert moved.received(kind, 2, before=change) == 0 < moved.received(kind, 2)
    assert moved.received(kind, 1, since=change) == 0 < moved.received(kind, 1)
    assert moved.received(kind, 1, before=change) == moved.received(kind, 0, before=change)


def test_nothing_is_left_to_share_out_when_somebody_leaves(moved):
    net = np.zeros(moved.kernel.accounts.total, np.int64)
    for book in moved.books:
        net += book.postings.net_n(len(net))
        if book.slot + HOUR == parse_time(CHANGE):
            assert 0 <= net[moved.kernel.accounts.community] < 2
            assert 0 <= net[moved.kernel.accounts.levy] < 2


def test_who_is_no_member_neither_trades_nor_takes(moved):
    for book in moved.books:
        gone = 1 if book.slot >= parse_time(CHANGE) else 2
        assert book.readings.import_wh[gone] == book.readings.export_wh[gone] == 0
        assert gone not in book.orders.member


def test_rows_outside_a_membership_are_not_read(tmp_path):
    found = setting(tmp_path, ('id = "cara"', f'id = "cara"\nsince = "{CHANGE}"'))
    since = (parse_time(CHANGE) - FIRST) // HOUR
    assert not found.measured.consumption_wh[:since, 2].any()
    assert found.measured.consumption_wh[since:, 2].all()


def test_meters_of_a_member_are_added_up(tmp_path):
    meters = ('id = "bert"', 'id = "bert"\nmeters = ["AT001", "top 4/2"]')
    rows = readings({"roof": sun, "AT001": home, "top 4/2": sun, "cara": home})
    found = setting(tmp_path, meters, ('id = "bert"', 'id = "bert"\npv = "10 kW"'), rows=rows)
    assert found.measured.consumption_wh[5].tolist() == [100, home(5)[0] + 100, home(5)[0]]
    assert found.measured.generation_wh[12].tolist() == [sun(12)[1], sun(12)[1], 0]
    lacking = readings(
        {"roof": sun, "AT001": home, "top 4/2": sun, "cara": home},
        ("top 4/2", "2024-06-02T00:00Z", "2024-06-02T01:00Z"),
    )
    with pytest.raises(DataError, match="no reading of top 4/2 at 2024-06-02T00:00Z"):
        setting(tmp_path, meters, ('id = "bert"', 'id = "bert"\npv = "10 kW"'), rows=lacking)


def test_a_meter_is_that_of_its_owner_of_the_time(tmp_path):
    changes = (
        ('id = "bert"', f'id = "bert"\nmeters = ["AT001"]\nuntil = "{CHANGE}"'),
        ('id = "cara"', f'id = "cara"\nmeters = ["AT001"]\nsince = "{CHANGE}"'),
    )
    found = setting(tmp_path, *changes, rows=readings({"roof": sun, "AT001": home})).measured.consumption_wh
    since = (parse_time(CHANGE) - FIRST) // HOUR
    assert found[:, 1].tolist() == [home(hour)[0] for hour in range(since)] + [0] * (24 * DAYS - since)
    assert (found[:, 1] + found[:, 2]).tolist() == [home(hour)[0] for hour in range(24 * DAYS)]


TOGETHER = (
    ('id = "bert"', 'id = "bert"\nmeter_parts = { AT001 = "60 %" }'),
    ('id = "cara"', 'id = "cara"\nmeter_parts = { AT001 = "40 %" }\nmeters = ["AT002"]'),
)


def test_a_meter_of_several_is_divided_to_the_wh(tmp_path):
    rows = readings({"roof": sun, "AT001": home, "AT002": sun})
    found = setting(tmp_path, *TOGETHER, ('id = "cara"', 'id = "cara"\npv = "10 kW"'), rows=rows).measured
    whole = [home(hour)[0] for hour in range(24 * DAYS)]
    assert found.consumption_wh[:, 1].tolist() == [wh * 6 // 10 for wh in whole]
    assert (found.consumption_wh[:, 1] + found.consumption_wh[:, 2] - 100).tolist() == whole
    assert found.generation_wh[:, 2].tolist() == [sun(hour)[1] for hour in range(24 * DAYS)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((('"60 %"', '"50 %"'),), r"bert: meter_parts: bert, cara have 900000 ppm of 'AT001' together"),
        ((('id = "bert"', f'id = "bert"\nuntil = "{CHANGE}"'),), r"cara: meter_parts: cara have 400000 ppm of 'AT001'"),
        ((('id = "roof"', 'id = "roof"\nmeters = ["AT001"]'),), "bert: meter 'AT001' is also that of roof at the same"),
    ],
)
def test_parts_of_a_meter_make_a_whole(tmp_path, changes, said):
    with pytest.raises(ConfigError, match=said):
        setting(tmp_path, *TOGETHER, *changes)


def test_owners_get_what_their_plant_earns_to_the_last_unit(tmp_path):
    found = ran(setting(tmp_path, ('id = "roof"', 'id = "roof"\nowners = { bert = "60 %", community = "40 %" }')))
    community = found.kernel.accounts.community
    for book in found.books:
        p = book.postings
        passed = p.kind == PostingKind.OWNERSHIP
        own = ~passed & (p.kind != PostingKind.DIVIDEND) & (p.kind != PostingKind.LEVY_RETURN)
        earned = int(p.amount_n[own & (p.payee == 0)].sum()) - int(p.amount_n[own & (p.payer == 0)].sum())
        assert int(p.amount_n[passed].sum()) == max(earned, 0)
        assert set(p.payee[passed].tolist()) <= {1, community}
        if earned > 0:
            assert int(p.amount_n[passed & (p.payee == 1)].sum()) in (earned * 6 // 10, earned * 6 // 10 + 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "bert"', 'id = "bert"\nsince = "2024-06-04"', "bert: since: .* has no zone"),
        ('id = "bert"', 'id = "bert"\nuntil = "2024-06-04T00:10Z"', "bert: until = .* does not start a slot"),
        ('id = "bert"', f'id = "bert"\nsince = "{CHANGE}"\nuntil = "{CHANGE}"', "bert: until is not after since"),
        ('id = "bert"', 'id = "bert"\nmeters = ["cara"]', "cara: meter 'cara' is also that of bert at the same time"),
        ('id = "roof"', 'id = "roof"\nowners = { dora = "100 %" }', "roof: owners: 'dora' is no other member"),
        ('id = "roof"', 'id = "roof"\nowners = { bert = "60 %" }', "roof: owners have 600000 ppm together"),
        ('id = "roof"', 'id = "roof"\nowners = { bert = "1.00005 %" }', r"owners.bert is '1.00005 %', not a whole"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(tmp_path, old, new, said):
    with pytest.raises(ConfigError, match=said):
        setting(tmp_path, (old, new))
