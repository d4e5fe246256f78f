"""A run that watches: faults become items, one that is acknowledged holds back income, and closing it releases that."""

import json
from contextlib import closing
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import call
from tests.integration.test_api import bearer, serving
from transactive.cli.token.actions import create_token
from transactive.config.setting import Setting
from transactive.core.accounts import Accounts
from transactive.core.community.rules import DetectionRules
from transactive.core.errors import DataError
from transactive.core.items import Item, ItemState
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.core.tables import Measured
from transactive.engine.daily.detection import DailyDetection, merged
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.replay import replay, slots_of
from transactive.insight.detection.findings import Finding, Kind
from transactive.metering.feeder import read_feeder
from transactive.services.finding_notes import FindingNote, all_notes, say
from transactive.store import Store
from transactive.store.read.items import read_items
from transactive.store.write.items import save_items, set_state

START, DAY = "2017-06-05T00:00Z", 86_400
TOTAL = Accounts(14).total
BROKEN = 0
"""The member whose PV yields less than half from four weeks before the run."""
ACKNOWLEDGED_AFTER, CLOSED_AFTER = parse_time("2017-06-05T06:00Z"), parse_time("2017-06-06T15:00Z")


def faulty(setting: Setting, **rules) -> Setting:
    generation = setting.measured.generation_wh.copy()
    since = (parse_time(START) - setting.measured.first_slot) // 3600 - 28 * 24
    generation[since:, BROKEN] = generation[since:, BROKEN] * 2 // 5
    measured = Measured(setting.measured.first_slot, setting.measured.consumption_wh, generation)
    trading = msgspec.structs.replace(setting.community.trading, plans="alone")  # so that the broken plant still sells
    community = msgspec.structs.replace(setting.community, detection=DetectionRules(**rules), trading=trading)
    return replace(setting, community=community, measured=measured)


class Lived:
    """Two days of a run whose operator acknowledges the item on the first, and closes it on the second."""

    def __init__(self, setting: Setting, folder) -> None:
        self.folder = folder
        self.records: list[SlotBook] = []
        self.items: list[Item] = []
        slots = slots_of(setting, parse_time(START), 2)
        self.outcome, _ = replay(setting, slots, folder, seed="transactive", after_slot=self._after)

    def _after(self, record) -> None:
        self.records.append(record)
        steps = {ACKNOWLEDGED_AFTER: ItemState.ACKNOWLEDGED, CLOSED_AFTER: ItemState.CLOSED}
        state = steps.get(record.readings.slot)
        if state is not None:
            with closing(Store(self.folder)) as store:
                self.items = read_items(store)
                for item in self.items:
                    set_state(store, item.number, state, record.readings.slot)


@pytest.fixture(scope="module")
def lived(demo_setting, tmp_path_factory) -> Lived:
    rules = {"hold": ("PV fault",), "hold_confidence_ppm": 800_000}
    return Lived(faulty(demo_setting, **rules), tmp_path_factory.mktemp("watched"))


def moved(record, kind: PostingKind, column: str) -> dict[int, int]:
    chosen = record.postings.kind == kind
    whose, amounts = getattr(record.postings, column)[chosen], record.postings.amount_n[chosen]
    return dict(zip(whose.tolist(), amounts.tolist(), strict=True))


def test_the_fault_becomes_one_item_with_its_evidence(lived):
    assert [(item.kind, item.member, item.state) for item in lived.items] == [
        ("PV fault", BROKEN, ItemState.ACKNOWLEDGED)
    ]
    item = lived.items[0]
    assert "yields" in item.evidence
    assert item.energy_wh > 10_000
    assert item.opened == parse_time("2017-06-05T07:00Z")  # the first day's end, as days of the readings go
    assert item.seen == parse_time("2017-06-06T07:00Z")


def test_income_is_held_from_when_a_person_acknowledges_the_item_and_released_at_once(lived):
    held = 0
    for record in lived.records:
        slot = record.readings.slot
        before = record.postings.other_than(PostingKind.HOLD).other_than(PostingKind.RELEASE)
        income = max(int(before.net_n(TOTAL)[BROKEN]), 0)
        suspect = ACKNOWLEDGED_AFTER < slot <= CLOSED_AFTER
        assert moved(record, PostingKind.HOLD, "payer") == ({BROKEN: income} if suspect and income else {})
        held += moved(record, PostingKind.HOLD, "payer").get(BROKEN, 0)
        released = moved(record, PostingKind.RELEASE, "payee")
        assert released == ({BROKEN: held} if slot == CLOSED_AFTER + 3600 else {})
        assert int(record.postings.net_n(TOTAL).sum()) == 0
    assert held > 0


def test_books_balance_and_a_statement_verifies_with_holds_in_it(lived, tmp_path):
    summary = lived.outcome.summary
    assert summary.money_residual_n == "0"
    assert summary.ledger_equals_chain
    assert (summary.detection.closed, summary.detection.open, summary.detection.held_n) == (1, 0, "0")
    path = tmp_path / "statement.json"
    made = call("statement", "--state", lived.folder, "--member", "house-01", "-o", path)
    assert made.code == 0, made.err
    assert call("verify", path, "--state", lived.folder).code == 0


@pytest.mark.long
def test_bills_do_not_count_what_is_only_held(demo_setting, lived, tmp_path):
    free = Lived(faulty(demo_setting), tmp_path / "free")
    assert [bill.saved_n for bill in free.outcome.bills] == [bill.saved_n for bill in lived.outcome.bills]
    assert all(not moved(record, PostingKind.HOLD, "payer") for record in free.records)


def test_the_demos_week_opens_nothing(demo_run):
    detection = demo_run.outcome.summary.detection
    assert (detection.open, detection.acknowledged, detection.closed) == (0, 0, 0)


def finding(first: int, end: int, evidence: str = "seen") -> Finding:
    return Finding(Kind.THEFT, 1, first * DAY, end * DAY, 100, evidence, 0.9)


def test_a_finding_that_goes_on_is_the_same_item():
    opened = merged([], [finding(10, 20)], now=20 * DAY)
    assert [(item.number, item.opened, item.seen) for item in opened] == [(1, 20 * DAY, 20 * DAY)]
    later = merged(opened, [finding(12, 27, "more")], now=27 * DAY)
    assert later == [replace(opened[0], end=27 * DAY, evidence="more", seen=27 * DAY)]
    other = merged(opened, [finding(60, 70), replace(finding(10, 20), member=2)], now=70 * DAY)
    assert [item.number for item in other] == [2, 3]


def test_a_closed_item_stays_closed_until_it_goes_on_for_two_weeks():
    opened = merged([], [finding(10, 20)], now=20 * DAY)[0]
    closed = replace(opened, state=ItemState.CLOSED, changed=21 * DAY)
    assert merged([closed], [finding(10, 34)], now=34 * DAY) == []
    anew = merged([closed], [finding(10, 36)], now=36 * DAY)
    assert [(item.number, item.first, item.state) for item in anew] == [(2, 20 * DAY, ItemState.OPEN)]


def test_a_feeder_beside_the_readings_is_read_and_watched(tmp_path, demo_setting):
    path = tmp_path / "feeder.csv"
    path.write_text("slot_start,feeder_wh\n2017-01-01T00:00Z,100\n2017-01-01T01:00Z,-20\n")
    first = parse_time("2017-01-01T00:00Z")
    assert read_feeder(path, first, 2, 3600).tolist() == [100, -20]
    with pytest.raises(DataError, match="no reading of 2017-01-01T02:00Z"):
        read_feeder(path, first, 3, 3600)
    measured = demo_setting.measured
    net = (measured.consumption_wh - measured.generation_wh).sum(axis=1)
    stolen = measured.consumption_wh.copy()
    since = len(stolen) - 60 * 24
    stolen[since:, 5] //= 5
    setting = replace(
        demo_setting,
        measured=Measured(measured.first_slot, stolen, measured.generation_wh),
        feeder_wh=net + measured.consumption_wh.sum(axis=1) // 25,
    )
    with closing(Store(tmp_path / "state")) as store:
        now = setting.measured_end - 14 * DAY
        past = RecordedHistory.of(setting, ReplayClock(now))
        found = DailyDetection(setting, past, store).scan(now)
    assert {(one.kind, one.member) for one in found} == {(Kind.UNMETERED, None), (Kind.THEFT, 5)}
    lost = next(one.energy_wh for one in found if one.kind == Kind.UNMETERED)
    assert np.isclose(lost, (measured.consumption_wh - stolen)[: -14 * 24].sum(), rtol=0.1)


@pytest.fixture
def copy(lived, tmp_path):
    """The watched run's state, to be changed: its item, and one of the feeder."""
    (tmp_path / "market.sqlite").write_bytes((lived.folder / "market.sqlite").read_bytes())
    with closing(Store(tmp_path)) as store:
        item = read_items(store)[0]
        save_items(store, [replace(item, number=2, kind="unmetered energy", member=None)])
        set_state(store, 1, ItemState.OPEN, CLOSED_AFTER)
    return tmp_path


def test_items_are_seen_by_whom_they_concern_and_moved_on_by_the_operator(copy):
    scopes = {"operator": [1, 2], "auditor": [1, 2], "grid": [2], "member": [1]}
    tokens = {scope: create_token(copy, scope, "house-01" if scope == "member" else None) for scope in scopes}
    other = create_token(copy, "member", "house-02")
    with serving(copy, local=False) as client:
        for scope, numbers in scopes.items():
            seen = client.get("/api/v1/items", headers=bearer(tokens[scope])).json()["items"]
            assert [item["number"] for item in seen] == numbers, scope
            answer = client.put("/api/v1/items/1/acknowledged", headers=bearer(tokens[scope]))
            if scope == "operator":
                assert "write your reason" in answer.json()["detail"]
                say(copy, FindingNote(1, "note", "operator", 0, text="the inverter reports an error"))
                answer = client.put("/api/v1/items/1/acknowledged", headers=bearer(tokens[scope]))
            assert answer.status_code == (200 if scope == "operator" else 403), scope
        assert client.get("/api/v1/items", headers=bearer(other)).json()["items"] == []
        assert "house-01: PV fault" in client.get("/", headers=bearer(tokens["member"])).text
        assert "house-01: PV fault" not in client.get("/", headers=bearer(other)).text


def test_the_command_line_lists_items_and_moves_them_on(copy, tmp_path):
    words = call("detect", "items", "--state", copy).out
    assert "1 open: PV fault, house-01" in words
    assert "2 closed: unmetered energy, the feeder" in words
    told = json.loads(call("detect", "items", "--state", copy, "--close", 1, "--reopen", 2, "--json").out)
    assert [item["state"] for item in told["items"]] == ["closed", "open"]
    assert "write your reason" in call("detect", "items", "--state", copy, "--acknowledge", 1).err
    moved_on = call("detect", "items", "--state", copy, "--acknowledge", 1, "--reason", "the inverter", "--json")
    assert json.loads(moved_on.out)["items"][0]["state"] == "acknowledged"
    assert [note.text for note in all_notes(copy)[1].said] == ["the inverter"]
    assert "item 9: there is none" in call("detect", "items", "--state", copy, "--acknowledge", 9).err
    assert "holds no run" in call("detect", "items", "--state", tmp_path / "none").err


def test_every_step_can_be_undone_and_unknown_ones_are_refused(copy):
    say(copy, FindingNote(1, "note", "operator", 0, text="the inverter reports an error"))
    with serving(copy) as client:
        first = client.get("/api/v1/items").json()["items"][0]
        assert (first["member"], first["state"], first["kind"]) == ("house-01", "open", "PV fault")
        for state in ("acknowledged", "closed", "open"):
            item = client.put(f"/api/v1/items/1/{state}").json()
            assert (item["state"], item["changed"]) == (state, "2017-06-07T00:00:00Z")
        assert client.put("/api/v1/items/9/closed").status_code == 404
        assert client.put("/api/v1/items/1/burnt").status_code == 400
        assert client.post("/items/1/closed").status_code == 405  # what another site's form could send
        page = client.put("/items/1/closed", follow_redirects=True)
        assert page.url.path == "/"
        assert "Closed: 2" in page.text
