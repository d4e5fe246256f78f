"""The collector: only what is signed, in turn and possible enters, once, and its word is what is on disk."""

from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.chain.disputes.leaf_file import load_receipt
from transactive.core.errors import StateError
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.meter_records import SIZE, MeterRecord, SignedRecord, sign_record
from transactive.core.proofs.receipts import SIGNED_BYTES, RecordReceipt
from transactive.core.proofs.signing import signer
from transactive.engine.devices.recorded_history import ReplayClock
from transactive.engine.live.collector import AHEAD, Collector
from transactive.engine.live.session import demo_meters
from transactive.metering.record_file import RecordFile
from transactive.node.receipts import keep_receipts
from transactive.store.live.journal import ArrivalKind, Enrolment, Journal

CHAIN, LENGTH, BEGIN = 31337, 900, 1_700_000_100 // 900 * 900
ADA, BEN = demo_meters(["ada", "ben"], "collector")
NOW = BEGIN + 100 * LENGTH


def life(meter, count, chain=CHAIN):
    """Records of a meter, one a slot."""
    found: list[SignedRecord] = []
    previous = ZERO
    for number in range(count):
        registers = (100 * number, 7 * number, 9 * number, 0, 0, 0)
        record = MeterRecord(meter.address, number, BEGIN + number * LENGTH, registers, (number, -1), previous=previous)
        previous = record.hash
        found.append(sign_record(record, meter.key, chain))
    return found


LIVES = {meter.address: life(meter, 8) for meter in (ADA, BEN)}


@pytest.fixture
def journal(tmp_path):
    with closing(Journal(tmp_path / "journal.sqlite")) as opened:
        yield opened


def collector_of(journal, now=NOW):
    collector = Collector(journal, ReplayClock(now), LENGTH, CHAIN)
    collector.enrol([Enrolment(ADA.address, 0), Enrolment(BEN.address, 1)])
    return collector


def kept(journal):
    """Numbers of the records in a journal, by meter."""
    found: dict[str, list[int]] = {ADA.address: [], BEN.address: []}
    for entry in journal.all_after(0):
        if entry.kind is ArrivalKind.ENROLLED:
            continue
        record = SignedRecord.from_bytes(entry.body).record
        found[record.meter].append(record.number)
    return found


def test_a_record_is_the_same_after_it_was_bytes():
    for signed in LIVES[ADA.address]:
        data = signed.to_bytes()
        assert len(data) == SIZE
        assert SignedRecord.from_bytes(data) == signed


@given(st.lists(st.tuples(st.sampled_from([ADA.address, BEN.address]), st.integers(0, 7)), max_size=60))
def test_whatever_is_lost_doubled_or_swapped_nothing_is_missing_or_twice(tmp_path_factory, sent):
    with closing(Journal(tmp_path_factory.mktemp("j") / "journal.sqlite")) as journal:
        collector = collector_of(journal)
        told = {ADA.address: 0, BEN.address: 0}
        for start in range(0, len(sent), 5):
            told |= collector.enter(LIVES[meter][number].to_bytes() for meter, number in sent[start : start + 5])
        assert {meter: len(numbers) for meter, numbers in kept(journal).items()} == told
        for meter, records in LIVES.items():
            collector.enter(each.to_bytes() for each in records[told[meter] :])
        assert kept(journal) == {meter: list(range(8)) for meter in LIVES}


def wrong(change, key=ADA.key, number=3, chain=CHAIN):
    """The bytes of a record of ada that is changed and signed again."""
    return sign_record(change(LIVES[ADA.address][number].record), key, chain).to_bytes()


REFUSED = {
    "unknown": lambda: life(demo_meters(["eve"], "collector")[0], 1)[0].to_bytes(),
    "order": lambda: LIVES[ADA.address][5].to_bytes(),
    "chain": lambda: wrong(lambda record: replace(record, previous=ZERO)),
    "slot": lambda: wrong(lambda record: replace(record, slot=record.slot + 1)),
    "slot that was": lambda: wrong(lambda record: replace(record, slot=BEGIN)),
    "future": lambda: wrong(lambda record: replace(record, slot=NOW + LENGTH)),
    "register": lambda: wrong(lambda record: replace(record, registers=(0, 21, 27, 0, 0, 0))),
    "signature": lambda: wrong(lambda record: record, key=BEN.key),
    "signature of another chain": lambda: wrong(lambda record: record, chain=1),
    "torn": lambda: LIVES[ADA.address][3].to_bytes()[:-1],
    "torn in the middle": lambda: b"\1" + LIVES[ADA.address][3].to_bytes()[1:],
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_wrong_is_counted_with_its_reason_and_changes_nothing(journal, reason):
    collector = collector_of(journal)
    collector.enter(each.to_bytes() for each in LIVES[ADA.address][:3])
    collector.enter([REFUSED[reason]()])
    assert dict(collector.refused) == {reason.split(" ")[0]: 1}
    assert kept(journal)[ADA.address] == [0, 1, 2]
    assert collector.enter([LIVES[ADA.address][3].to_bytes()]) == {ADA.address: 4}


def test_a_little_early_is_no_future(journal):
    early = collector_of(journal, now=BEGIN + LENGTH - AHEAD)
    assert early.enter([LIVES[ADA.address][0].to_bytes()]) == {ADA.address: 1}
    assert early.enter([LIVES[ADA.address][1].to_bytes()]) == {ADA.address: 1}


def test_a_collector_that_comes_back_knows_what_is_on_disk(journal):
    collector_of(journal).enter(each.to_bytes() for each in LIVES[ADA.address][:5])
    again = collector_of(journal)
    assert again.enter(each.to_bytes() for each in LIVES[ADA.address]) == {ADA.address: 8}
    assert kept(journal)[ADA.address] == list(range(8))


def test_what_cannot_be_written_is_not_acknowledged(journal, monkeypatch):
    collector = collector_of(journal)

    def full(*_):
        raise StateError("disk full")

    monkeypatch.setattr(journal, "append", full)
    with pytest.raises(StateError, match="disk full"):
        collector.enter([LIVES[ADA.address][0].to_bytes()])
    monkeypatch.undo()
    assert collector.enter([LIVES[ADA.address][0].to_bytes()]) == {ADA.address: 1}
    assert kept(journal)[ADA.address] == [0]


@given(st.integers(0, 3 * SIZE))
def test_what_a_crash_has_torn_was_never_sent(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("o") / "outbox"
    records = [each.to_bytes() for each in LIVES[ADA.address][:3]]
    with closing(RecordFile(path)) as outbox:
        outbox.append(records)
    path.write_bytes(path.read_bytes()[:cut])
    with closing(RecordFile(path)) as outbox:
        assert list(outbox.all()) == records[: cut // SIZE]
        outbox.append(records[outbox.count :])
        assert list(outbox.all()) == records


@pytest.mark.parametrize("late", [0, LENGTH // 30])
def test_what_comes_in_time_is_receipted_once_and_says_when(journal, tmp_path, late):
    """Not the first record of a meter, which tells of no energy, and not what comes after the time it has."""
    clock = ReplayClock(BEGIN - LENGTH)
    collector = Collector(journal, clock, LENGTH, CHAIN)
    collector.sign_receipts(lambda made: made.to_bytes(made.sign(BEN.key, CHAIN)))
    collector.enrol([Enrolment(ADA.address, 4)])
    for number in range(3):
        clock.wait_until(BEGIN + (number + 1) * LENGTH + late - bool(late and number == 2))
        collector.enter([LIVES[ADA.address][number].to_bytes()])
    collector.enter([LIVES[ADA.address][2].to_bytes()])  # again
    told = collector.receipts(ADA.address)
    found = [RecordReceipt.from_bytes(told[k : k + SIGNED_BYTES]) for k in range(0, len(told), SIGNED_BYTES)]
    kept_slots = [BEGIN + number * LENGTH for number in ((2,) if late else (1, 2))]
    assert [(made.slot, made.meter) for made, _ in found] == [(slot, 4) for slot in kept_slots]
    for made, signature in found:
        assert signer(made.digest(CHAIN), signature, "the receipt") == BEN.address
    assert collector.receipts(ADA.address) == b""
    keep_receipts(tmp_path, told)
    files = [load_receipt(path) for path in sorted((tmp_path / "receipts").iterdir())]
    assert [file.content for file in files] == found


def test_a_slot_that_began_before_its_meter_was_enrolled_is_not_receipted(journal):
    """It may be settled already: nobody waited for that meter."""
    clock = ReplayClock(BEGIN + 2 * LENGTH + 1)
    collector = Collector(journal, clock, LENGTH, CHAIN)
    collector.sign_receipts(lambda made: made.to_bytes(made.sign(BEN.key, CHAIN)))
    collector.enrol([Enrolment(ADA.address, 4)])
    collector.enter(each.to_bytes() for each in LIVES[ADA.address][:2])
    assert collector.receipts(ADA.address) == b""
