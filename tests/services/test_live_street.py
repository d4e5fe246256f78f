"""Meters, boxes, a real broker and a live market, each a process that is killed: nothing is lost or told twice."""

import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.services.market import SEED
from tests.services.street import BEGIN, MEMBERS, SLOT, P1Meter, now_of, write_street
from tests.waiting import LIMIT_SECONDS, until
from transactive.cli.node.actions import MeterOptions, init_box, invite_member
from transactive.config.setting import load_setting
from transactive.core.proofs.meter_records import SignedRecord
from transactive.core.proofs.order_records import order_bytes, order_of
from transactive.core.slots import DAY
from transactive.engine.books.rebuilt import community_of
from transactive.engine.live.session import replay_journal
from transactive.metering.record_file import RecordFile
from transactive.node.agent.account import make_account
from transactive.store import Store
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Journal

pytestmark = pytest.mark.service
ROOT = Path(__file__).parents[2]
TRANSACTIVE = Path(sys.executable).with_name("transactive")
SLOTS = 10
COUNTED = (("export_wh", 775, 27), ("import_wh", 425, 15), ("import_wh", 225, 8))
"""Register of each member, what it counts in a slot [Wh], and how far half a minute more or less leads astray."""


def records_of(journal: Path) -> dict[str, list[bytes]]:
    """Records of a journal by meter."""
    found: dict[str, list[bytes]] = {}
    with closing(Journal(journal)) as opened:
        for entry in opened.all_after(0):
            if entry.kind is ArrivalKind.RECORD:
                found.setdefault(SignedRecord.from_bytes(entry.body).record.meter, []).append(entry.body)
    return found


def require_orders_of_her_box(live: Path, box: str) -> None:
    """Eve's orders are those of her box, under her grant: the market has no key of hers."""
    with closing(Journal(live / JOURNAL_FILE)) as opened:
        sent = {order_of(each.body).order.slot: each for each in opened.of_kinds((ArrivalKind.ORDER,), 0)}
        void = {int(each.body.split()[0]) for each in opened.of_kinds((ArrivalKind.VOID,), 0)}
    with closing(Store(live)) as store:
        clock = community_of(store).clock
        for number, entry in sent.items():
            orders, _, _ = store.trading(number * SLOT, len(MEMBERS)) or pytest.fail("nothing was traded")
            came = [one.signed for one in store.accepted(number * SLOT, orders, number) if one.number]
            if clock.gate(number * SLOT) in void:  # the market was down: no order counts
                assert came == []
                continue
            hers = came[-1]
            assert order_bytes(hers) == entry.body
            assert hers.grant is not None
            assert hers.grant.agent == box
            assert orders.energy_wh[orders.member == 2].sum() == sum(energy for _, energy in hers.order.buys)


def test_nothing_is_lost_whatever_is_killed(tmp_path, broker, processes, monkeypatch):
    monkeypatch.chdir(ROOT)
    community, since = write_street(tmp_path), time.time()
    meters = [P1Meter(name, since) for name in MEMBERS]
    addresses, boxes = {}, {}

    def market():
        command = (sys.executable, "-m", "tests.services.market", tmp_path, broker.url, since, SLOTS)
        return processes(*command, log=tmp_path / "market.log")

    def box(name):
        return processes(TRANSACTIVE, "node", "run", tmp_path / name, log=tmp_path / f"{name}.log")

    for meter in meters:
        account = make_account(tmp_path / meter.name) if meter.name == "eve" else None
        made = invite_member(community, meter.name, broker.url, tmp_path / "live", 600, account=account)
        own = init_box(
            tmp_path / meter.name,
            made["community"],
            broker.url,
            MeterOptions(meter.url, winter_hours=0),
            made["code"],
            15,
        )
        addresses[meter.name] = own["meter"]
        boxes[meter.name] = box(meter.name)
    running = market()
    journal = tmp_path / "live" / JOURNAL_FILE

    def slots_over(count):
        until(lambda: now_of(since) > BEGIN + (4 + count) * SLOT, f"{count} slots")

    slots_over(2)
    boxes["ben"].kill()
    boxes["ben"] = box("ben")
    slots_over(3)
    broker.kill()
    slots_over(4)
    broker.start()
    slots_over(5)
    running.kill()
    running = market()
    said, _ = running.communicate(timeout=LIMIT_SECONDS)
    assert running.returncode == 0, (tmp_path / "market.log").read_text()
    state_hash, equal = said.split()
    assert equal == "True"

    taken = records_of(journal)
    assert set(taken) == set(addresses.values())
    for name in MEMBERS:
        boxes[name].terminate()
        boxes[name].wait()
        with closing(RecordFile(tmp_path / name / "outbox")) as outbox:
            signed = list(outbox.all())
        assert taken[addresses[name]] == signed[: len(taken[addresses[name]])]
        assert len(taken[addresses[name]]) >= SLOTS // 2

    first = BEGIN + 4 * SLOT
    slots = range(first, first + SLOTS * SLOT, SLOT)
    with closing(Store(tmp_path / "live")) as store:
        settled = {slot: store.readings(slot, len(MEMBERS)) for slot in slots}
    require_orders_of_her_box(tmp_path / "live", addresses["eve"])
    metered = 0
    for readings in settled.values():
        for member, (register, counted, least) in enumerate(COUNTED):
            if not readings.estimated[member]:
                metered += 1
                assert abs(int(getattr(readings, register)[member]) - counted) <= least
    assert metered >= SLOTS

    setting = load_setting(community, until=slots.stop + DAY)
    again, _ = replay_journal(setting, slots, journal, tmp_path / "again", seed=SEED)
    assert again.summary.state_hash == state_hash
    for meter in meters:
        meter.__exit__()


def test_a_box_that_was_put_back_signs_nothing_more(tmp_path, broker, processes, monkeypatch):
    monkeypatch.chdir(ROOT)
    community, since = write_street(tmp_path), time.time()
    with P1Meter("ben", since) as meter:
        made = invite_member(community, "ben", broker.url, tmp_path / "live", 600)
        init_box(
            tmp_path / "ben", made["community"], broker.url, MeterOptions(meter.url, winter_hours=0), made["code"], 15
        )
        command = (sys.executable, "-m", "tests.services.market", tmp_path, broker.url, since, SLOTS)
        processes(*command, log=tmp_path / "market.log")
        old = processes(TRANSACTIVE, "node", "run", tmp_path / "ben", log=tmp_path / "ben.log")
        until(lambda: sum(map(len, records_of(tmp_path / "live" / JOURNAL_FILE).values())) >= 2, "records of a meter")
        old.kill()
        old.wait()
        (tmp_path / "ben" / "outbox").write_bytes(b"")
        again = processes(TRANSACTIVE, "node", "run", tmp_path / "ben", log=tmp_path / "again.log")
        assert again.wait(timeout=LIMIT_SECONDS) == 4
        assert "was put back from an older copy" in (tmp_path / "again.log").read_text()
