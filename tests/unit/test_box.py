"""The box at a meter: what it signs, how it hands that over through any weather, and who invited it."""

import os
from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.boxes.enrolment import invitation_proof, topic, topic_name
from transactive.core.errors import ConfigError, DataError, InputError, StateError
from transactive.core.proofs.meter_records import SIZE, SignedRecord
from transactive.engine.live.inlet import Inlet
from transactive.engine.live.invitations import Invitations
from transactive.metering.boundaries import SlotBoundaries
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.source import MeterTraits
from transactive.metering.record_file import RecordFile
from transactive.node.box import AT_ONCE, PATIENCE_SECONDS, BoxKey, Courier, Recorder
from transactive.node.memory import KnownMeter
from transactive.node.settings import BoxSettings, box_key, box_settings, make_box
from transactive.node.signed_energy import SignedEnergy
from transactive.store.live.journal import Enrolment

CHAIN, LENGTH, BEGIN = 31337, 900, 1_700_000_100 // 900 * 900
SETTINGS = BoxSettings("street", "mqtt://127.0.0.1", "tcp://127.0.0.1:1", LENGTH, CHAIN, code="AAAAA-BBBBB")


@pytest.fixture
def key(tmp_path):
    return make_box(tmp_path / "box", SETTINGS)


@pytest.fixture
def outbox(tmp_path):
    with closing(RecordFile(tmp_path / "box" / "outbox")) as opened:
        yield opened


def test_a_box_keeps_its_key_to_itself_and_is_made_once(tmp_path, key):
    assert box_key(tmp_path / "box") == key
    assert box_settings(tmp_path / "box") == SETTINGS
    assert (tmp_path / "box" / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(StateError, match="is the folder of a box"):
        make_box(tmp_path / "box", SETTINGS)
    (tmp_path / "box" / "box.toml").write_text('community = "a"\nbrokr = "b"\n')
    with pytest.raises(ConfigError, match="brokr"):
        box_settings(tmp_path / "box")


def test_a_second_process_is_kept_from_an_outbox(outbox):
    with pytest.raises(StateError, match="another process has it"):
        RecordFile(outbox.path)


@given(st.integers(0, 4 * SIZE - 1), st.integers(1, 255))
def test_a_flip_in_an_outbox_is_named_or_costs_the_last_record(tmp_path_factory, place, flip):
    path = tmp_path_factory.mktemp("o") / "outbox"
    records = [bytes([number]) * (SIZE - 4) for number in range(4)]
    records = [data + crc32(data).to_bytes(4, "big") for data in records]
    with closing(RecordFile(path)) as opened:
        opened.append(records)
    data = bytearray(b"".join(records))
    data[place] ^= flip
    path.write_bytes(data)
    with closing(RecordFile(path)) as opened:
        if place < 3 * SIZE:
            with pytest.raises(StateError, match=f"record {place // SIZE}, at byte .* is damaged"):
                opened.check()
        else:
            opened.check()
            assert list(opened.all()) == records[:3]


TRAITS = MeterTraits("a meter", "real bytes")


def recorder_of(key, outbox, traits=TRAITS):
    meter = KnownMeter(outbox.path.parent, traits)
    return Recorder(outbox, key, CHAIN, SlotBoundaries(LENGTH), meter)


def hear(recorder, at, energy):
    return recorder.take(MeterState(at, energy, 0), b"/raw!", at)


def test_a_box_signs_one_record_a_slot_each_after_the_one_before(key, outbox):
    recorder = recorder_of(key, outbox)
    for at in range(0, 3 * LENGTH + 1, 30):
        hear(recorder, BEGIN + at, at)
    again = recorder_of(key, outbox)
    hear(again, BEGIN + 4 * LENGTH, 4 * LENGTH)
    signed = [SignedRecord.from_bytes(data) for data in outbox.all()]
    previous = bytes(32)
    for number, each in enumerate(signed):
        each.require_signed(CHAIN)
        assert (each.record.meter, each.record.number, each.record.previous) == (key.address, number, previous)
        assert each.record.registers[0] == each.record.slot + LENGTH - BEGIN
        previous = each.record.hash
    assert [each.record.slot - BEGIN for each in signed] == [-LENGTH, 0, LENGTH, 2 * LENGTH, 3 * LENGTH]


def test_what_a_meter_says_wrongly_is_not_signed(key, outbox):
    recorder = recorder_of(key, outbox)
    hear(recorder, BEGIN, 500)
    for at, energy in ((BEGIN + LENGTH, 0), (BEGIN - 10, 600), (1_000, 600)):
        with pytest.raises(DataError):
            hear(recorder, at, energy)
    assert outbox.count == 1


def test_telegrams_of_another_meter_are_not_signed(key, outbox):
    recorder = recorder_of(key, outbox)
    recorder.take(MeterState(BEGIN, 500, 0, "E0001"), b"", BEGIN)
    again = recorder_of(key, outbox)
    with pytest.raises(DataError, match="says that it is E0002, and was E0001"):
        again.take(MeterState(BEGIN + LENGTH, 600, 0, "E0002"), b"", BEGIN + LENGTH)
    assert again.take(MeterState(BEGIN + LENGTH, 600, 0, "E0001"), b"", BEGIN + LENGTH)


def test_a_plug_that_lost_power_is_counted_on_also_by_a_box_that_lost_it_too(key, outbox):
    plug = MeterTraits("a plug", "real bytes", most_w=3_000, restarts=True)
    recorder = recorder_of(key, outbox, plug)
    hear(recorder, BEGIN, 70_000)
    with pytest.raises(DataError, match="ran backwards"):
        hear(recorder, BEGIN + 60, 5)
    hear(recorder, BEGIN + 120, 20)
    hear(recorder_of(key, outbox, plug), BEGIN + LENGTH, 30)
    registers = [SignedRecord.from_bytes(data).record.registers[0] for data in outbox.all()]
    assert registers == [70_000, 70_030]


def test_a_box_says_what_it_signed_of_a_slot_while_it_goes_on(tmp_path, key, outbox):
    recorder, signed = recorder_of(key, outbox), SignedEnergy(outbox.path.parent, LENGTH)
    first = BEGIN // LENGTH
    for step in (0, 1, 2, 5, 6):
        hear(recorder, BEGIN + step * LENGTH, step * step)
    assert [signed.of(first + step) for step in range(-1, 6)] == [None, (1, 0), (3, 0), None, None, None, (11, 0)]
    hear(recorder, BEGIN + 7 * LENGTH, 50)
    os.truncate(outbox.path, 6 * SIZE - 1)
    assert signed.of(first + 6) is None
    assert SignedRecord.from_bytes(outbox.some(4, 1)).record.slot == BEGIN + 5 * LENGTH


class Weather:
    """A collector behind a network that loses what it likes, in both ways. lost: by turn, whether it does."""

    def __init__(self, outbox: RecordFile, lost: list[bool]) -> None:
        self.now, self.taken, self.introduced = 0.0, b"", 0
        self._lost, self._turn = lost, 0
        self.courier = Courier(outbox, self._up, self._introduce, lambda: self.now)

    def _loses(self) -> bool:
        self._turn += 1
        return self._turn <= len(self._lost) and self._lost[self._turn - 1]

    def _introduce(self) -> None:
        self.introduced += 1

    def _up(self, payload: bytes) -> None:
        assert len(payload) <= AT_ONCE * SIZE
        if self._loses():
            return
        for start in range(0, len(payload), SIZE):
            record = payload[start : start + SIZE]
            if SignedRecord.from_bytes(record).record.number == len(self.taken) // SIZE:
                self.taken += record
        if not self._loses():
            self.courier.heard(len(self.taken) // SIZE)


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 90))
def test_in_any_weather_all_arrives_once_and_in_order(tmp_path_factory, lost, slots):
    folder = tmp_path_factory.mktemp("box")
    key = BoxKey(b"\7" * 32, "0x" + "00" * 20)
    with closing(RecordFile(folder / "outbox")) as outbox:
        recorder = recorder_of(key, outbox)
        weather = Weather(outbox, lost)
        weather.courier.ask()
        for slot in range(slots):
            hear(recorder, BEGIN + slot * LENGTH, slot)
            weather.courier.step()
        for _ in range(len(lost) + 90):
            weather.now += PATIENCE_SECONDS + 0.1
            weather.courier.step()
        assert weather.taken == b"".join(outbox.all())
        assert weather.courier.acknowledged == outbox.count == slots
        assert weather.introduced >= 1


def test_a_box_that_was_put_back_hears_it(outbox):
    courier = Courier(outbox, lambda _: None, lambda: None)
    with pytest.raises(StateError, match="was put back from an older copy"):
        courier.heard(1)


def test_an_invitation_is_for_one_member_some_minutes_and_one_meter(tmp_path, key):
    made = Invitations(tmp_path)
    assert made.open(0) == []
    invitation = made.add(2, now=1_000, seconds=600)
    proof = invitation_proof(invitation.code, key.address)
    assert made.of(proof, key.address, 1_600) == invitation
    assert made.of(proof, key.address, 1_601) is None
    assert made.of(proof, "0x" + "11" * 20, 1_000) is None
    assert made.of(invitation_proof("AAAAA", key.address), key.address, 1_000) is None
    newer = made.add(2, now=1_100, seconds=600)
    assert made.open(1_100) == [newer]
    assert (tmp_path / "invitations.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="over before it is used"):
        made.add(2, now=1_000, seconds=0)


def test_who_was_let_in_is_told_who_the_market_is_when_its_invitation_is_over(tmp_path, key):
    """A box of before counts were signed takes none from a market that it does not know."""
    made, welcomed = Invitations(tmp_path), list[str]()
    code = made.add(2, now=1_000, seconds=600).code
    made.add(3, now=5_000, seconds=600)
    collector: Any = SimpleNamespace(is_used=lambda _: True, count=lambda meter: 7 if meter == key.address else None)
    counter: Any = SimpleNamespace(welcome=lambda _, code: welcomed.append(code), leaves=SimpleNamespace())
    clock: Any = SimpleNamespace(now=5_000)
    inlet = Inlet("mqtt://127.0.0.1", "street", collector, made, clock, print, counter, cast("Any", SimpleNamespace()))
    for meter in (key.address, "0x" + "11" * 20):
        inlet._enrol(meter, invitation_proof(code, meter))
    assert welcomed == [code]


def test_a_meter_that_has_to_be_confirmed_waits_for_the_operator(tmp_path, key):
    made = Invitations(tmp_path)
    with pytest.raises(InputError, match="no invitation of this member is open"):
        made.confirm(2, key.address, 1_000)
    code, other = made.add(2, now=1_000, seconds=600, confirm=True).code, "0x" + "11" * 20
    said: list[str] = []
    enrolled: list[Enrolment] = []
    collector: Any = SimpleNamespace(is_used=lambda _: False, count=lambda _: None, enrol=enrolled.extend)
    clock: Any = SimpleNamespace(now=1_000)
    counter: Any = SimpleNamespace(welcome=lambda *_: None, leaves=SimpleNamespace())
    commands: Any = SimpleNamespace()
    inlet = Inlet("mqtt://127.0.0.1", "street", collector, made, clock, said.append, counter, commands)
    for _ in range(3):
        inlet._enrol(key.address, invitation_proof(code, key.address))
    assert (len(said), enrolled) == (1, [])
    assert f"meter {key.address} asks to be member 2's" in said[0]
    made.confirm(2, key.address, 1_000)
    for meter in (other, key.address):
        inlet._enrol(meter, invitation_proof(code, meter))
    assert [(one.address, one.member) for one in enrolled] == [(key.address, 2)]


def test_a_name_is_safe_in_a_topic():
    assert topic_name("Grüne Straße + Co/#") == "gr-ne-stra-e-co"
    assert topic(topic_name("+"), "0x1", "up") == "transactive/community/0x1/up"


def test_what_devices_count_is_signed_beside_the_meter_also_by_a_box_that_began_again(key, outbox):
    def begin(charged: int, waited: int) -> Recorder:
        devices: Any = SimpleNamespace(
            counts_battery=True, levels=lambda: (7,), counted_wh=lambda: (charged, charged // 2, waited)
        )
        meter = KnownMeter(outbox.path.parent, TRAITS)
        return Recorder(outbox, key, CHAIN, SlotBoundaries(LENGTH), meter, devices)

    for step, (charged, waited) in enumerate(((400, 30), (0, 0), (100, 5))):
        hear(begin(charged, waited), BEGIN + step * LENGTH, 1_000 + step)
    signed = [SignedRecord.from_bytes(data).record for data in outbox.all()]
    assert [record.registers[3:] for record in signed] == [(400, 200, 30), (400, 200, 30), (500, 250, 35)]
    assert [record.registers[0] for record in signed] == [1_000, 1_001, 1_002]
    assert signed[0].levels[0] == 7
