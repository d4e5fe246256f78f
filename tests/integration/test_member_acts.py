"""What members do while their run goes on: done once, from the next gate on, and the same again from the journal."""

import dataclasses
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from tests.integration.samples import write_community
from transactive.config.setting import Setting, load_setting
from transactive.core.community.limits import NO_HIGHEST
from transactive.core.errors import InputError, StateError
from transactive.core.proofs.members.authorisation import Authorisation, Authorised
from transactive.core.proofs.members.member_acts import HandOrder
from transactive.core.slot_book import SlotBook
from transactive.engine.authorisations import read, write
from transactive.engine.live.session import Pace, rehearse, replay_journal
from transactive.engine.replay import replay, slots_from
from transactive.services.acts.asked import (
    Allowing,
    AskAuthorise,
    Asked,
    AskLimits,
    AskPause,
    AskResume,
    AskRevoke,
    AskUndo,
)
from transactive.services.acts.authorisations import Asker, act, allow, shown
from transactive.services.acts.signers import signer_of
from transactive.store import Store
from transactive.store.live.acts import LoggedAct, add_act, newest_acts
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, JournalReader

SEED = "acts"
HOUR = 3_600


class Stopped(Exception):
    """The session was stopped."""


def do(folder: Path, asked: Asked, member: str = "a", **by: object) -> LoggedAct:
    """Do something for a member of a run on demo keys."""
    return act(folder, member, asked, signer_of(folder), Asker(**by))  # type: ignore[arg-type]


def allowing(folder: Path, asked: Allowing, member: str) -> Authorisation:
    """Change what a member allows."""
    return allow(folder, member, asked, signer_of(folder), Asker()).authorisation


@dataclass
class Session:
    """A run on the small community, in which things are done after some of its slots."""

    setting: Setting
    folder: Path
    acts: dict[int, Callable[[], object]]
    books: list[SlotBook] = field(default_factory=list)

    def after(self, book: SlotBook) -> None:
        """What happens after a slot."""
        self.books.append(book)
        self.acts.get(len(self.books), lambda: None)()

    def replayed(self):
        """Run it on recorded data."""
        slots = slots_from(self.setting)
        return replay(self.setting, slots, self.folder, seed=SEED, after_slot=self.after)[0].summary

    def rehearsed(self):
        """Run it live."""
        slots = slots_from(self.setting)
        return rehearse(self.setting, slots, self.folder, seed=SEED, pace=Pace(), after_slot=self.after)[0].summary


@pytest.fixture(scope="module")
def setting(tmp_path_factory) -> Setting:
    return load_setting(write_community(tmp_path_factory.mktemp("community")))


@pytest.fixture(scope="module")
def stopped(setting, tmp_path_factory) -> Path:
    """A run that was stopped after ten slots."""
    session = Session(setting, tmp_path_factory.mktemp("stopped"), {})

    def stop() -> None:
        raise Stopped

    session.acts[10] = stop
    with pytest.raises(Stopped):
        session.replayed()
    return session.folder


def later(folder: Path, asked: Asked, member: str) -> Callable[[], object]:
    """The same, to be done when it is called."""
    return lambda: do(folder, asked, member)


def later_acts(folder: Path) -> dict[int, Callable[[], object]]:
    """What is done in the second half of a session."""
    limits = AskLimits(never_pay_above_micro_per_kwh=150_000)
    return {12: later(folder, limits, "a"), 20: later(folder, AskResume(), "b")}


def orders_of(book: SlotBook, member: int) -> int:
    return int((book.orders.member == member).sum())


@pytest.mark.long
def test_a_live_session_with_acts_is_its_journal_replayed_also_after_an_interruption(setting, tmp_path):
    folder = tmp_path / "whole"
    session = Session(setting, folder, {})
    session.acts = {8: later(folder, AskPause(), "b"), **later_acts(folder)}
    whole = session.rehearsed()
    gaps = [number for number, book in enumerate(session.books) if not orders_of(book, 1)]
    assert set(range(9, 21)) <= set(gaps)  # the gate of the ninth slot had closed as the eighth was over
    assert any(orders_of(book, 1) for book in session.books[21:])
    late = [book.orders for book in session.books[14:]]
    assert all((each.price[(each.member == 0) & each.is_buy] <= 150_000).all() for each in late)
    with closing(JournalReader(folder / JOURNAL_FILE)) as journal:
        assert sum(entry.kind is ArrivalKind.ACT for entry in journal.all_after(0)) == 3
    again, _ = replay_journal(setting, slots_from(setting), folder / JOURNAL_FILE, tmp_path / "again", seed=SEED)
    assert again.summary.state_hash == whole.state_hash

    halved = Session(setting, tmp_path / "halved", {})

    def stop() -> None:
        do(halved.folder, AskPause(), "b")
        raise Stopped

    halved.acts = {8: stop}
    with pytest.raises(Stopped):
        halved.rehearsed()
    halved.acts = later_acts(halved.folder)
    assert halved.rehearsed().state_hash == whole.state_hash


def test_a_request_with_the_same_key_is_done_once(stopped):
    limits = AskLimits(never_pay_above_micro_per_kwh=210_000)
    first = do(stopped, limits, key="k1", account="Ada", now=5)
    again = do(stopped, limits, key="k1", account="Ada", now=9)
    assert (again.number, again.made) == (first.number, 5)
    with pytest.raises(InputError, match="used for another request"):
        do(stopped, AskPause(), key="k1")
    other = do(stopped, limits, "b", key="k1")  # another member's keys are its own
    assert other.number == first.number + 1
    assert do(stopped, limits).number == other.number + 1  # without a key each is an act


def test_the_newest_act_is_undone_and_no_other(stopped):
    before = shown(stopped).latest(2)
    paused = do(stopped, AskPause(end="2017-06-08T00:00Z"), "c")
    limited = do(stopped, AskLimits(sell_only_above_micro_per_kwh=100_000), "c")
    newest = shown(stopped).latest(2)
    assert paused.authorised is not None
    assert newest.paused_from == paused.authorised.authorisation.paused_from  # limits leave a pause alone
    with pytest.raises(InputError, match="is not the newest"):
        do(stopped, AskUndo(number=paused.number), "c")
    undone = do(stopped, AskUndo(number=limited.number), "c")
    assert undone.undoes == limited.number
    now = shown(stopped).latest(2)
    assert (now.lowest_sell, now.paused_until) == (before.lowest_sell, newest.paused_until)
    redone = do(stopped, AskUndo(number=undone.number), "c")
    assert redone.undoes == undone.number
    assert shown(stopped).latest(2).lowest_sell == 100_000
    with closing(Store(stopped)) as store:
        assert [entry.undoes for entry in newest_acts(store, 2, 10)] == [undone.number, limited.number, 0, 0]


def test_what_was_allowed_before_a_hundred_orders_can_be_undone(stopped):
    limited = do(stopped, AskLimits(never_pay_above_micro_per_kwh=90_000))
    sent = HandOrder(0, 0, (), (), 1, 1, "0x")
    asked = '{"kind":"cancel","slot":"2017-06-07T00:00Z"}'
    with closing(Store(stopped)) as store:
        for _ in range(101):
            add_act(store, LoggedAct(member=limited.member, made=1, begins=0, asked=asked, order=sent))
    assert do(stopped, AskUndo(number=limited.number)).undoes == limited.number


def test_a_home_changes_what_it_allows_a_hundred_times_a_day_at_most(stopped, tmp_path):
    folder, now = Path(shutil.copytree(stopped, tmp_path / "full")), 10**9
    made = do(folder, AskPause(), key="first", now=now)
    with closing(Store(folder)) as store:
        for _ in range(99):
            add_act(store, dataclasses.replace(made, key=""))
    with pytest.raises(StateError, match="100 times a day"):
        do(folder, AskResume(), now=now + 60)
    assert do(folder, AskPause(), key="first", now=now + 60) == made  # a repeated request is no new one
    do(folder, AskResume(), "b", now=now + 60)
    do(folder, AskResume(), now=now + 25 * HOUR)


def test_to_undo_leaves_what_was_not_undone(stopped, tmp_path):
    folder = Path(shutil.copytree(stopped, tmp_path / "longer"))
    before = shown(folder).latest(1)
    limited = do(folder, AskLimits(never_pay_above_micro_per_kwh=91_000), "b")
    assert limited.authorised is not None
    given = limited.authorised.authorisation
    longer = msgspec.structs.replace(given, serial=given.serial + 1, valid_until=given.valid_until + HOUR)
    with closing(Store(folder)) as store:  # as a run does that goes on with more slots
        write(store, (*read(store), limited.authorised, Authorised(longer)))
    do(folder, AskUndo(number=limited.number), "b")
    now = shown(folder).latest(1)
    assert (now.highest_buy, now.valid_until) == (before.highest_buy, longer.valid_until)


def test_what_is_revoked_needs_a_new_authorisation(stopped):
    do(stopped, AskLimits(never_pay_above_micro_per_kwh=1), "c")
    do(stopped, AskRevoke(), "c")
    for asked in (AskLimits(), AskPause(), AskResume()):
        with pytest.raises(InputError, match="revoked"):
            do(stopped, asked, "c")
    given = allowing(stopped, AskAuthorise(), "c")
    assert (given.highest_buy, given.paused_until) == (NO_HIGHEST, 0)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (AskPause(start="2017-06-07T00:00Z", end="2017-06-07T00:00Z"), "has to end after it begins"),
        (AskPause(start="noon"), "RFC 3339"),
        (AskAuthorise(start="2017-06-06T00:00Z"), "too early"),
        (AskUndo(number=9_999), "is not the newest"),
    ],
)
def test_what_cannot_be_done_is_named_and_leaves_nothing(stopped, asked, named):
    with closing(Store(stopped)) as store:
        before = newest_acts(store, 0, 50)
    with pytest.raises(InputError, match=named):
        do(stopped, asked)
    with closing(Store(stopped)) as store:
        assert newest_acts(store, 0, 50) == before
    with pytest.raises(InputError, match="member z is not in the community"):
        do(stopped, asked, "z")


def test_a_finished_run_takes_nothing_and_a_new_folder_has_no_run(sample_state, tmp_path):
    with pytest.raises(StateError, match="this run is finished"):
        do(sample_state, AskPause())
    with pytest.raises(StateError, match="holds no run"):
        do(tmp_path, AskPause())


def test_an_act_holds_from_the_first_open_slot(stopped):
    made, first = allowing(stopped, AskPause(), "b"), shown(stopped).first
    assert (made.paused_from, made.valid_from) == (first, first)
    assert first % HOUR == 0
