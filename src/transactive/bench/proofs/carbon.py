"""Certificates of a slot of a million meters: issued, matched, recorded and written, and what committing them takes.

Three meters in ten produce; they export what they do not use, and everybody who imports claims a part. Bundles are what
counts. The registries that are named publish no rate; the reference is the bare SHA-256 of as many records.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import thread_time

import numpy as np

from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.proofs.certificate_gas import certificate_rows
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.carbon.accounting import CarbonSlot, Factors, account
from transactive.carbon.certificates.storage import Lots
from transactive.core.community.members import Devices
from transactive.core.postings import Postings
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.slot_tree import SlotTree, depth_for_accounts
from transactive.core.tables import Readings
from transactive.core.trades.delivery import Delivery
from transactive.core.trades.positions import Positions
from transactive.engine.books.carbon_leaves import carbon_leaves
from transactive.metering.registers import measure
from transactive.settlement.netted import deliver

METERS = 10**6
PRODUCERS = 0.3
IN_A_TREE = 4_095
RECORD_BYTES = 200
FACTORS = Factors.whole(pv_g=45, grid_g=350, residual_g=350)


@bench("carbon", summary="certificates of a slot of a million meters against hashing their records; gas a bundle")
def carbon(_: BenchTimer) -> Iterator[Row]:
    """Measure issue, match, records and file, then trees of as many members as a contract takes; processor time.

    Then what a bundle costs on chain.
    """
    meter = BenchTimer(thread_time)
    readings, delivery, devices = _slot(METERS)
    data = [bytes(RECORD_BYTES)] * METERS
    hashing = Reference("hash a million records", lambda: [hashlib.sha256(record).digest() for record in data])
    bundles = len(_account(readings, delivery, devices).certificates)
    with tempfile.TemporaryDirectory() as folder:

        def written() -> SlotLeaves:
            slot = _account(readings, delivery, devices)
            leaves = _leaves(readings, slot)
            _write(slot, leaves, Path(folder))
            return leaves

        def committed() -> list[bytes]:
            return _roots(written())

        yield meter.rate(
            "bundles issued, matched, recorded and written", written, count=bundles, unit="bundles/s", repeats=3
        )
        name = "a slot of 10^6 meters, written, with the roots that commit it"
        yield meter.time(name, committed, hashing, unit="s", repeats=3)
        leaves = written()
    name = "of which trees with blinding leaves, 4,095 members each"
    yield meter.time(name, lambda: _roots(leaves), hashing, unit="s", repeats=3)
    yield from certificate_rows()


def _slot(meters: int) -> tuple[Readings, Delivery, Devices]:
    """Meters of which some produce, and nothing traded ahead."""
    rng, nothing = np.random.default_rng(1), np.zeros(meters, np.int64)
    generation = np.where(rng.random(meters) < PRODUCERS, rng.integers(0, 3_000, meters), 0)
    readings = measure(0, rng.integers(50, 900, meters), generation, nothing, nothing)
    delivery = deliver(Positions.at_one_price(0, 0, nothing, nothing), readings)
    return readings, delivery, Devices(nothing + 5_000, nothing, nothing, nothing + 900_000)


def _account(readings: Readings, delivery: Delivery, devices: Devices) -> CarbonSlot:
    """Issue and match."""
    return account(readings, delivery, devices, Lots.empty(len(readings.import_wh)), FACTORS)


def _leaves(readings: Readings, slot: CarbonSlot) -> SlotLeaves:
    """Leaves with the hash of each member's record; no money is posted here."""
    none = np.zeros(0, np.int64)
    postings = Postings(0, none, none, none, none, none, none)
    levied = slot.unmatched_mg, np.zeros_like(slot.unmatched_mg)
    return carbon_leaves(0, readings, postings, slot.certificates, slot.footprints, levied)


def _roots(leaves: SlotLeaves) -> list[bytes]:
    """Roots of trees as large as a contract takes."""
    depth = depth_for_accounts(IN_A_TREE)
    shards = (_rows(leaves, slice(start, start + IN_A_TREE)) for start in range(0, len(leaves), IN_A_TREE))
    return [SlotTree(shard, depth, b"secret").root for shard in shards]


def _write(slot: CarbonSlot, leaves: SlotLeaves, folder: Path) -> None:
    """Put bundles and record hashes into a file, whole or not at all, and on disk."""
    partial = folder / "slot.part"
    with partial.open("wb") as file:
        for column in list(slot.certificates.columns().values())[1:]:
            np.save(file, column)
        file.write(b"".join(leaves.fills))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / "slot.npy")


def _rows(leaves: SlotLeaves, some: slice) -> SlotLeaves:
    """The leaves of some members."""
    fills = list(leaves.fills[some])
    return SlotLeaves(
        slot=leaves.slot,
        money=leaves.money[some],
        energy=leaves.energy[some],
        slot_money=leaves.slot_money[some],
        slot_energy=leaves.slot_energy[some],
        fills=fills,
        orders=[ZERO] * len(fills),
    )
