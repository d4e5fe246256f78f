"""What a slot costs with chain and database on: processor time and bytes, for a street and for a full tree.

Hourly slots of homes that are copies of the demo's. A slot's cost is the growth from the first two days to ten, so that
what is paid once is told apart. Beside it stands the cryptography alone: as many signatures, made and checked by
coincurve between the slots of the same run, and one for the receipts. No slot can be quicker than that, whatever else
is saved. On a busy machine processor time grows too, as others use its caches: as many times as the cryptography takes
longer, a slot may.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.daily import daily_growth
from transactive.bench.runs.simulation import START, neighbourhood
from transactive.config.setting import Setting
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.books.commitments import ChainCommitments
from transactive.engine.chain_location import IN_FOLDER, open_chain
from transactive.engine.replay import replay
from transactive.settlement.ledger import Ledger
from transactive.store import Store
from transactive.store.files import bytes_at_rest

STREET, FULL = 500, 4_090
"""Members: of a street, and about as many as a tree holds."""
RUNS = {STREET: 5, FULL: 1}
"""Runs of which the median counts; a run of the full tree takes ten minutes."""
GOAL = {STREET: 0.1, FULL: 1.0}
"""Processor time a slot [s]."""
AT_REST = 53.5e-6
"""Processor time of the cryptography of one book where the goals were set, the least of 60 rounds [s]."""
BESIDE = 1.5
"""Times the cryptography alone that a slot may take where that exceeds the goal by itself."""
FEW, MANY = 48, 240
"""Slots between which costs grow."""
EVERY = 12
"""Slots after which the cryptography is measured again."""
HOUR = 3_600
SEED = "transactive"


@dataclass(slots=True)
class Growth:
    """Sees a run's slots, and marks processor time [s] and bytes on disk after `FEW` and after `MANY`.

    alone: cryptography of a book, measured between them; apart: what that took [s].
    """

    folder: Path
    seconds: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    apart: float = 0
    books: int = 0
    seen: int = 0

    def see(self, record: SlotBook) -> None:
        """Count a slot and its signed books of orders."""
        self.seen += 1
        if self.seen > FEW:
            books = len(np.unique(record.orders.member))
            self.books += books
            if books and self.seen % EVERY == 0:
                began = process_time()
                self.alone.append(cryptography(books) / books)
                self.apart += process_time() - began
        if self.seen in (FEW, MANY):
            self.seconds.append(process_time())
            self.bytes.append(bytes_at_rest(self.folder))
            self.seconds.append(process_time())  # to count the bytes is no part of a slot

    @property
    def a_slot(self) -> float:
        """Processor time [s]."""
        return (self.seconds[2] - self.seconds[1] - self.apart) / (MANY - FEW)

    @property
    def books_a_slot(self) -> float:
        """Signed books of orders."""
        return self.books / (MANY - FEW)

    @property
    def bytes_a_slot(self) -> float:
        """Bytes that a slot adds to the folder."""
        return (self.bytes[1] - self.bytes[0]) / (MANY - FEW)

    @property
    def fixed_bytes(self) -> float:
        """Bytes of the folder that do not come from slots."""
        return self.bytes[0] - FEW * self.bytes_a_slot


@bench("store", summary="what a slot and a start cost with chain and database on")
def store(meter: BenchTimer) -> Iterator[Row]:
    """Measure both communities, then what detection and advice take as members grow."""
    for members in (STREET, FULL):
        yield from costs(members, meter.runs or RUNS[members])
    yield from daily_growth()


def costs(members: int, runs: int) -> Iterator[Row]:
    """Rows of one community: median of so many runs."""
    setting = neighbourhood(members, days=MANY // 24, quarters=1)
    started = [start(setting) for _ in range(runs)]
    yield _row(f"{members:,} members: set-up", median(made for made, _ in started), "s")
    yield _row(f"{members:,} members: comparison of all balances", median(check for _, check in started), "s")
    seen = [walked(setting) for _ in range(runs)]
    a_book = median(book for one in seen for book in one.alone)
    yield from slot_rows(members, median(one.a_slot for one in seen), seen[0].books_a_slot, a_book)
    bytes_a_slot = median(one.bytes_a_slot for one in seen)
    yield _row(f"{members:,} members: bytes a member and slot", bytes_a_slot / members, "bytes")
    yield _row(f"{members:,} members: fixed bytes a member", median(one.fixed_bytes for one in seen) / members, "bytes")


def slot_rows(members: int, a_slot: float, books: float, a_book: float) -> Iterator[Row]:
    """Processor time of a slot against what it may take, and against the cryptography alone.

    a_slot: of a slot with so many books [s]; a_book: the cryptography of one, in the same run [s].
    """
    goal, alone, slower = GOAL[members], books * a_book, a_book / AT_REST
    allowed, why = goal * slower, f"goal of {goal:g} s, x {slower:.2f} as signing and checking took longer than at rest"
    if books * AT_REST > goal:
        allowed, why = BESIDE * alone, f"{BESIDE:g} x signing and checking, which alone is over the goal of {goal:g} s"
    yield Row(
        name=f"{members:,} members: processor time a slot", value=a_slot, unit="s",
        reference=why, reference_value=allowed, ratio=a_slot / allowed,
    )  # fmt: skip
    yield Row(
        name=f"{members:,} members: the same, against signing and checking alone", value=a_slot, unit="s",
        reference="signing and checking alone", reference_value=alone, ratio=a_slot / alone,
    )  # fmt: skip


def _row(name: str, value: float, unit: str) -> Row:
    return Row(name=name, value=value, unit=unit)


def start(setting: Setting) -> tuple[float, float]:
    """Processor time to deploy, register and pay in for all [s]; and to compare all balances with the ledger's."""
    first = parse_time(START)
    with TemporaryDirectory() as name:
        folder, database = Path(name), Store(Path(name))
        began = process_time()
        with open_chain(IN_FOLDER, setting, first, folder, database, SEED) as opened:
            ledger = Ledger(setting.community.chart)
            commitments = ChainCommitments(setting.community, ledger, opened.ledger, first)
            commitments.open(setting.community.clock.gate(first) - 1)
            ready = process_time()
            commitments.check()
            compared = process_time()
        database.close()
    return ready - began, compared - ready


def walked(setting: Setting) -> Growth:
    """Costs of a run of `MANY` slots in a folder of its own."""
    first = parse_time(START)
    with TemporaryDirectory() as name:
        seen = Growth(Path(name))
        replay(setting, range(first, first + MANY * HOUR, HOUR), Path(name), seed=SEED, after_slot=seen.see)
    return seen


def cryptography(books: int) -> float:
    """Processor time to sign so many books, check them, and sign their receipts together, with coincurve alone [s]."""
    from coincurve import PrivateKey, PublicKey

    keys = [PrivateKey(number.to_bytes(32, "big")) for number in range(1, books + 1)]
    operator, digests = PrivateKey(b"\x01" * 32), [number.to_bytes(32, "little") for number in range(1, books + 1)]
    began = process_time()
    for key, digest in zip(keys, digests, strict=True):
        signature = key.sign_recoverable(digest, hasher=None)
        PublicKey.from_signature_and_message(signature, digest, hasher=None)
    operator.sign_recoverable(digests[0], hasher=None)
    return process_time() - began
