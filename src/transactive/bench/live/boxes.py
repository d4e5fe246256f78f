"""The box at a meter and its market: from telegram to acknowledgement over a real broker, kills, cost, and trading.

A record is acknowledged when it is on the disk of the box and on that of the market. Two references run in turn with
it: the bare round trip of as many bytes over the same broker, and the bare append of the same record to a journal.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.box_cost import box_costs, running
from transactive.chain.keys.keys import DemoKeys
from transactive.config.setting import load_setting
from transactive.core.boxes.messages import OnDisk, Terms, unseal
from transactive.core.errors import require
from transactive.core.proofs.meter_records import SIZE, SignedRecord
from transactive.core.proofs.signed_orders import domain, sign_order
from transactive.core.proofs.signing import address_of
from transactive.core.slots import DAY
from transactive.engine.live.boxes.commands import BoxCommands
from transactive.engine.live.boxes.counter import BoxCounter
from transactive.engine.live.boxes.leaf_teller import LeafTeller
from transactive.engine.live.collector import Collector
from transactive.engine.live.inlet import Inlet
from transactive.engine.live.invitations import Invitations
from transactive.engine.live.order_desk import OrderDesk
from transactive.engine.live.waiting import WallClock
from transactive.links.mqtt import MqttClient
from transactive.links.sources.address import open_meter
from transactive.metering.boundaries import SlotBoundaries
from transactive.metering.record_file import RecordFile
from transactive.node.agent.thinking import think
from transactive.node.box import Courier, Recorder
from transactive.node.memory import KnownMeter
from transactive.node.settings import OUTBOX_FILE, BoxSettings, make_box, meter_address
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Enrolment, Journal
from transactive.store.live.leaves import LEAVES_FILE, LeafOutbox
from transactive.studies.live_street.broker import broker_of_its_own
from transactive.studies.live_street.p1 import P1Port, telegram
from transactive.studies.live_street.street import FIRST, write_street

NAME, CHAIN_ID, SLOT = "bench", 31337, 900
RECORDS, TRADES, ROUNDS = 200, 100, 8
SPEED = 900
"""How much faster than ours the time runs in which boxes are killed."""
PATIENCE_SECONDS = 30.0
MARKET_KEY = bytes(DemoKeys("bench").role("operator").key)
MARKET = address_of(MARKET_KEY)


@bench("live", summary="a box and its market: acknowledged, killed, what it costs, and how it trades")
def live(_: BenchTimer) -> Iterator[Row]:
    """Measure once: a minute, with a Mosquitto of its own."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        with broker_of_its_own(folder) as broker:
            yield from _acknowledged(folder / "told", broker)
            yield from _killed(folder / "killed", broker)
            yield from box_costs(folder, broker)
    yield _traded()


@contextmanager
def _market(folder: Path, broker: str, clock: WallClock) -> Iterator[tuple[Collector, Journal, Invitations]]:
    """The side of a market that boxes talk to."""
    folder.mkdir(parents=True)
    setting = load_setting(write_street(folder), until=FIRST + DAY)
    slots = range(FIRST, FIRST + DAY, SLOT)
    with closing(Journal(folder / JOURNAL_FILE)) as journal, closing(LeafOutbox(folder / LEAVES_FILE)) as outbox:
        collector, invitations = Collector(journal, clock, SLOT, CHAIN_ID), Invitations(folder)
        commands = BoxCommands(folder, setting, collector, clock, _unheard, journal)
        desk, leaves = OrderDesk(journal, clock, setting, slots), LeafTeller(outbox, collector, _unheard)
        counter = BoxCounter(setting, slots, collector, desk, commands, clock, leaves)
        counter.speak_by(MARKET_KEY)
        inlet = Inlet(broker, NAME, collector, invitations, clock, _unheard, counter, commands)
        inlet.begin()
        try:
            yield collector, journal, invitations
        finally:
            inlet.end()


def _unheard(_: str) -> None:
    """Say nothing."""


# -- acknowledged


def _acknowledged(folder: Path, broker: str) -> Iterator[Row]:
    """How long a telegram takes until its record is on both disks, and what a record costs the market."""
    settings = BoxSettings(NAME, broker, "tcp://127.0.0.1:1", SLOT, CHAIN_ID, winter_seconds=0)
    key = make_box(folder / "box", settings)
    begin = int(time.time()) // SLOT * SLOT - (RECORDS + 4) * SLOT
    with _market(folder / "market", broker, WallClock()) as (collector, _, _), ExitStack() as open_parts:
        collector.enrol([Enrolment(key.address, 0)])
        outbox = open_parts.enter_context(closing(RecordFile(folder / "box" / OUTBOX_FILE)))
        bare = open_parts.enter_context(closing(Journal(folder / "bare.sqlite")))
        source = open_meter(meter_address(settings.meter, settings.profile, folder, 0, ""))
        meter = KnownMeter(folder / "box", source.traits)
        recorder = Recorder(outbox, key, CHAIN_ID, SlotBoundaries(SLOT, source.traits.least_age), meter)
        said, echoed, there = threading.Event(), threading.Event(), threading.Event()
        up, down, echo = (settings.topic(key.address, way) for way in ("up", "down", "echo"))

        def heard(on: str, payload: bytes) -> None:
            if on == echo:
                echoed.set()
                return
            told = unseal(payload, key.address, MARKET)
            if isinstance(told, OnDisk):
                courier.heard(told.count)
            said.set()

        client = MqttClient(broker, key.address, (down, echo), heard, there.set)
        courier = Courier(outbox, lambda payload: client.publish(up, payload), lambda: None)
        open_parts.callback(client.end)
        client.begin()
        there.wait(PATIENCE_SECONDS)
        courier.ask()
        said.wait(PATIENCE_SECONDS)
        times, references = list[float](), list[float]()
        for number in range(RECORDS):
            raw, at = telegram(begin + number * SLOT, 1_000 + number, 0), begin + number * SLOT
            since = time.perf_counter()
            recorder.take(source.decode(raw), raw, at)
            while courier.acknowledged <= number:
                said.clear()
                courier.step()
                require(said.wait(PATIENCE_SECONDS), "a record is acknowledged in time")
            times.append(time.perf_counter() - since)
            references.append(_reference(client, echo, echoed, bare, outbox.some(number, 1)))
        records = list(outbox.all())
    between = median(time / other for time, other in zip(times, references, strict=True))
    yield Row(
        name="telegram to acknowledged, median",
        value=1_000 * median(times),
        unit="ms",
        reference="bare round trip and append",
        reference_value=1_000 * median(references),
        ratio=between,
    )
    yield Row(name="telegram to acknowledged, 99 %", value=1_000 * quantiles(times, n=100)[98], unit="ms")
    yield _processor_time(folder / "again", key.address, records)


def _reference(client: MqttClient, echo: str, echoed: threading.Event, bare: Journal, record: bytes) -> float:
    """How long the same bytes take to the broker and back, and to a disk [s]."""
    since = time.perf_counter()
    echoed.clear()
    client.publish(echo, record)
    require(echoed.wait(PATIENCE_SECONDS), "the broker answers in time")
    bare.append(0, ArrivalKind.RECORD, [record])
    return time.perf_counter() - since


def _processor_time(folder: Path, meter: str, records: list[bytes]) -> Row:
    """What a record costs the market that takes it in: checked, written, counted."""
    folder.mkdir()
    with closing(Journal(folder / JOURNAL_FILE)) as journal:
        collector = Collector(journal, WallClock(), SLOT, CHAIN_ID)
        collector.enrol([Enrolment(meter, 0)])
        since = time.process_time()
        collector.enter(records)
        spent = time.process_time() - since
        require(collector.count(meter) == len(records), "every record is taken in")
    return Row(name="processor time a record taken in", value=1e6 * spent / len(records), unit="µs")


# -- killed


def _killed(folder: Path, broker: str) -> Iterator[Row]:
    """Records lost and doubled of a box that is killed again and again, at any moment."""
    begin, since = int(time.time()) // SLOT * SLOT - DAY * 30, time.time()
    clock, drawn = WallClock(SPEED, begin, since), random.Random(1)  # noqa: S311 - moments, no secrets

    def says() -> bytes:
        now = begin + (time.time() - since) * SPEED
        return telegram(now, int(now - begin) // 10, 0)

    with _market(folder / "market", broker, clock) as (collector, journal, _):
        port = P1Port(says, 0.02)
        settings = BoxSettings(NAME, broker, port.url, SLOT, CHAIN_ID, winter_seconds=0)
        key = make_box(folder / "box", settings)
        collector.enrol([Enrolment(key.address, 0)])
        for _ in range(ROUNDS):
            box = _run_box(folder / "box")
            time.sleep(drawn.uniform(3.0, 6.0))
            box.kill()
            box.wait()
        box = _run_box(folder / "box")
        time.sleep(6.0)
        port.close()
        time.sleep(3.0)
        box.terminate()
        box.wait()
        taken = [SignedRecord.from_bytes(one.body).record for one in journal.of_kinds((ArrivalKind.RECORD,), 0)]
    signed = (folder / "box" / OUTBOX_FILE).stat().st_size // SIZE
    numbers = [record.number for record in taken]
    yield Row(name=f"{ROUNDS} kills: records", value=signed, unit="records")
    yield Row(name=f"{ROUNDS} kills: lost", value=signed - len(set(numbers)), unit="records")
    yield Row(name=f"{ROUNDS} kills: doubled", value=len(numbers) - len(set(numbers)), unit="records")


def _run_box(folder: Path) -> subprocess.Popen[bytes]:
    """Run a box as people do."""
    command = [sys.executable, *running(folder)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own code


# -- traded


def _traded() -> Row:
    """What a box thinks before a gate: forecast, plan of its battery, order and signature [ms of processor time]."""
    rng, per_day = np.random.default_rng(1), DAY // SLOT
    slots = 2 * per_day
    supply = tuple(int(price) for price in rng.integers(150_000, 350_000, slots))
    end = FIRST - SLOT
    terms = Terms(
        0, "0x" + 20 * "ab", CHAIN_ID, "0x" + 20 * "cd", SLOT, 1, 1_000, FIRST, supply, (80_000,) * slots,
        (30_000,) * slots, 1_000, 625, 5_000, 900_000,
    )  # fmt: skip
    load = rng.integers(-300, 500, 28 * per_day)
    times = []
    for _ in range(TRADES):
        since = time.process_time()
        thought = think(load, end, 2_000, terms, FIRST, (2**62, -(2**62)))
        sign_order(thought.order, b"\1" * 32, domain(CHAIN_ID, terms.settlement))
        times.append(time.process_time() - since)
    return Row(name="trading for a slot, processor time", value=1_000 * median(times), unit="ms")
