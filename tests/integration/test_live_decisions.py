"""Members decide while a market is live: the rule is in the journal before a gate, and its replay reads only that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.integration.samples import write_community
from transactive.config.setting import Setting, load_setting
from transactive.core.errors import InputError
from transactive.core.governance.decided import Decided, with_decided
from transactive.core.slot_book import SlotBook
from transactive.engine.governance import live_rules
from transactive.engine.governance.decided_rules import asking
from transactive.engine.governance.live_rules import live_by_decisions, replay_by_decisions
from transactive.engine.governance.recorded_rules import recorded
from transactive.engine.live.session import Pace, rehearse, replay_journal
from transactive.engine.replay import Outcome, replay, slots_from
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, JournalReader

SEED, SLOTS, HEARD = "live", 12, 5
FEE = 90_000


class Town:
    """A small community live on its recording, and a chain on which its members decide."""

    def __init__(self, folder: Path) -> None:
        self.file, self.folder = write_community(folder), folder / "live"
        self.slots = slots_from(load_setting(self.file))[:SLOTS]
        self.length = self.slots.step
        self.asked: list[tuple[int, int]] = []
        self.heard_at = self.slots[HEARD]

    def setting(self, decided: Sequence[Decided]) -> Setting:
        return load_setting(self.file, revised=partial(with_decided, decided=decided))

    def ask(self, after: int, open_from: int) -> list[Decided]:
        """A decision of block 7, which becomes final in the middle of the session."""
        self.asked.append((after, open_from))
        if after >= 7 or open_from <= self.heard_at:
            return []
        return [
            Decided(
                number="network-fee", value=FEE, since=0, holds_from=open_from + self.length, block=7,
                block_hash="0x" + "ab" * 32, at=open_from,
            )
        ]  # fmt: skip

    def live(self, after: Callable[[SlotBook], None] = lambda _: None) -> tuple[Outcome, bool]:
        return live_by_decisions(self.folder, self.length, self.ask, self._session, after)

    def _session(self, decided: Sequence[Decided], after: Callable[[SlotBook], None]) -> tuple[Outcome, bool]:
        return rehearse(self.setting(decided), self.slots, self.folder, seed=SEED, pace=Pace(), after_slot=after)

    def again(self, folder: Path, after: Callable[[SlotBook], None] = lambda _: None) -> tuple[Outcome, bool]:
        journal = self.folder / JOURNAL_FILE

        def session(decided: Sequence[Decided], settled: Callable[[SlotBook], None]) -> tuple[Outcome, bool]:
            setting = self.setting(decided)
            return replay_journal(setting, self.slots, journal, folder, seed=SEED, after_slot=settled)

        return replay_by_decisions(journal, folder, session, after)


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)


def test_a_decision_counts_from_its_slot_and_the_journals_replay_is_the_same(town, tmp_path):
    books: list[SlotBook] = []
    outcome, _ = town.live(books.append)
    decided = recorded(town.folder)
    assert [(one.value, one.block) for one in decided] == [(FEE, 7)]
    fees = {book.slot: book.tariff.fee for book in books}
    assert len(books) == SLOTS  # each slot once
    assert all((fee == FEE) == (slot >= decided[0].holds_from) for slot, fee in fees.items())
    assert FEE in fees.values()
    with closing(JournalReader(town.folder / JOURNAL_FILE)) as journal:
        entries = list(journal.all_after(0))
    place = next(entry for entry in entries if entry.kind is ArrivalKind.DECIDED)
    assert msgspec.json.decode(place.body, type=Decided) == decided[0]
    gates = [int(entry.body.split()[0]) for entry in entries[place.number :] if entry.kind is ArrivalKind.GATE]
    clock = town.setting(()).community.clock
    assert min(gates) <= clock.gate(decided[0].holds_from)  # its own gate closed after the journal had it
    again, _ = town.again(tmp_path / "again")
    assert again.summary.state_hash == outcome.summary.state_hash
    assert recorded(tmp_path / "again") == decided
    plain, _ = replay(town.setting(()), town.slots, tmp_path / "plain", seed=SEED)
    assert plain.summary.state_hash != outcome.summary.state_hash


class Killed(Exception):
    """Somebody ended the program."""


def test_a_session_killed_around_a_decision_and_its_replay_end_the_same(town, tmp_path):
    def kill_at(slot: int) -> Callable[[SlotBook], None]:
        def after(book: SlotBook) -> None:
            if book.slot == slot:
                raise Killed

        return after

    for slot in (town.slots[HEARD - 1], town.slots[HEARD + 1]):
        with pytest.raises(Killed):
            town.live(kill_at(slot))
    outcome, _ = town.live()
    for slot in (town.slots[HEARD - 1], town.slots[HEARD + 1]):
        with pytest.raises(Killed):
            town.again(tmp_path / "again", kill_at(slot))
    again, _ = town.again(tmp_path / "again")
    assert again.summary.state_hash == outcome.summary.state_hash


def test_what_was_decided_before_a_session_is_in_its_journal_first(town, tmp_path):
    town.heard_at = -1
    outcome, _ = town.live()
    with closing(JournalReader(town.folder / JOURNAL_FILE)) as journal:
        assert journal.after(0, 1)[0].kind is ArrivalKind.DECIDED
    again, _ = town.again(tmp_path / "again")
    assert again.summary.state_hash == outcome.summary.state_hash


def test_a_chain_that_is_away_changes_nothing_and_is_told_once(town, tmp_path):
    told: list[str] = []
    from transactive.chain.deployments.deployment import Deployed, Deployment

    one = Deployed(address="0x" + "00" * 20, code_keccak="0x")
    contracts = dict.fromkeys(("settlement", "currency", "disputes"), one)
    known = Deployment(community="c", currency="EUR", chain_id=1, block=0, accounts=(), contracts=contracts)
    known.save(tmp_path / "without.json")
    with pytest.raises(InputError, match="has no governor"):
        asking(town.folder, "http://127.0.0.1:1", tmp_path / "without.json", 3600, told.append)
    msgspec.structs.replace(known, contracts=contracts | {"governor": one}).save(tmp_path / "with.json")
    ask = asking(town.folder, "http://127.0.0.1:1", tmp_path / "with.json", 3600, told.append)
    assert ask(-1, 0) == ask(-1, 3600) == []
    assert len(told) == 1
    assert "the rules that were known last go on" in told[0]


def test_a_sentence_names_block_and_slot():
    one = Town.ask(SimpleNamespace(asked=[], heard_at=0, length=3600), -1, 7200)  # type: ignore[arg-type]
    said: Any = live_rules.told(one[0])
    assert said.startswith("members decided on network-fee = 90000 from 1970-01-01T03:00Z on (block 7, 0xabab")
