"""A market live on a recording: the same as its replay, whatever interrupts it, and again from its journal."""

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.conftest import START, call
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO, FEEDER
from transactive.core.accounts import Accounts
from transactive.core.errors import ConfigError, InputError, StateError
from transactive.core.postings import PostingKind
from transactive.core.proofs.leaves import LeafMark
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.core.tables import ReadingQuality
from transactive.core.units import kwh_text
from transactive.engine.books.rebuilt import leaves_from
from transactive.engine.live.session import Pace, go_live, rehearse, replay_journal
from transactive.engine.replay import replay, slots_of
from transactive.services.papers.contents import marked_figures
from transactive.store import Store
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Journal, JournalReader
from transactive.store.read.members import qualities
from transactive.store.read.runs import Reader
from transactive.store.read.totals import Counter as Totals
from transactive.web.pages.parts.quality import quality_words
from transactive.web.pages.slot import slot_page
from transactive.web.viewers import OWNER, Viewer

SEED = "live"
BLIND = 8
UNWAITING = Pace(at_gate=1, late_ppm=100_000, late=7_200)


@pytest.fixture(scope="module")
def setting():
    return load_setting(DEMO)


@pytest.fixture(scope="module")
def slots(setting):
    return slots_of(setting, parse_time(START), 1)


@pytest.fixture(scope="module")
def replayed(setting, slots, tmp_path_factory):
    return replay(setting, slots, tmp_path_factory.mktemp("replay"), seed=SEED)[0]


@pytest.fixture(scope="module")
def late(setting, slots, tmp_path_factory):
    """A session in which a tenth of the reports came two hours late, and its folder."""
    folder = tmp_path_factory.mktemp("late")
    pace = Pace(late_ppm=100_000, late=7_200)
    books: list[SlotBook] = []
    outcome, _ = rehearse(setting, slots, folder, seed=SEED, pace=pace, after_slot=books.append)
    return outcome, folder, books


def test_complete_reports_give_the_hash_of_the_replay(setting, slots, replayed, tmp_path):
    live, fresh = rehearse(setting, slots, tmp_path, seed=SEED, pace=Pace())
    assert fresh
    assert live.summary.state_hash == replayed.summary.state_hash
    assert live.bills == replayed.bills


@pytest.mark.long
def test_a_session_with_late_reports_is_its_journal_replayed(setting, slots, replayed, late, tmp_path):
    outcome, folder, books = late
    substituted = sum(int((book.readings.quality == ReadingQuality.AS_TRADED).sum()) for book in books)
    assert substituted > 20
    assert outcome.summary.state_hash != replayed.summary.state_hash
    again, _ = replay_journal(setting, slots, folder / JOURNAL_FILE, tmp_path, seed=SEED)
    assert again.summary.state_hash == outcome.summary.state_hash


@pytest.fixture(scope="module")
def blind(setting, slots, tmp_path_factory):
    """A session whose gates wait for no meter, and its folder: each is closed as it is due, and sees what is in."""
    folder = tmp_path_factory.mktemp("blind")
    outcome, _ = rehearse(setting, slots[:BLIND], folder, seed=SEED, pace=UNWAITING)
    return outcome, folder


def test_a_gate_does_not_wait_for_late_meters(setting, blind):
    outcome, folder = blind
    with closing(JournalReader(folder / JOURNAL_FILE)) as journal:
        entries = list(journal.all_after(0))
    told = [(entry, entry.body.split()) for entry in entries if entry.kind is ArrivalKind.GATE]
    gates = [(entry, int(gate), int(seen)) for entry, (gate, seen) in told]
    length = setting.community.clock.length
    assert [gate for _, gate, _ in gates] == [gates[0][1] + k * length for k in range(BLIND)]
    assert all(entry.received <= gate + 2 for entry, gate, _ in gates)
    assert [gate - seen for _, gate, seen in gates[2:]] == [length] * (BLIND - 2)  # before the first slot all is known
    settled = {int(entry.body): entry for entry in entries if entry.kind is ArrivalKind.SETTLED}
    for entry, gate, _ in gates[2:]:
        assert entry.number < settled[gate - length].number
    assert outcome.summary.ledger_equals_chain


@pytest.mark.long
def test_what_a_gate_saw_is_what_it_sees_again(setting, slots, blind, tmp_path):
    outcome, folder = blind
    again, _ = replay_journal(setting, slots, folder / JOURNAL_FILE, tmp_path / "again", seed=SEED)
    assert again.summary.state_hash == outcome.summary.state_hash
    for stop in (0, 2, 1):

        def pull(_: SlotBook, left: list[int] = [stop]) -> None:  # noqa: B006 - one for each stop
            left[0] -= 1
            if left[0] < 0:
                raise Stopped

        with pytest.raises(Stopped):
            rehearse(setting, slots[:BLIND], tmp_path / "on", seed=SEED, pace=UNWAITING, after_slot=pull)
    end, _ = rehearse(setting, slots[:BLIND], tmp_path / "on", seed=SEED, pace=UNWAITING)
    assert end.summary.state_hash == outcome.summary.state_hash


def page_of(reader: Reader, slot: int, viewer: Viewer = OWNER) -> dict[str, Any]:
    """What the page of a slot shows."""
    run = reader.run()
    assert run is not None
    totals = Totals(reader).totals(run, reader.position())
    return slot_page(reader, run, reader.position(), totals, viewer, slot=slot, idle=0)


def test_a_void_gate_is_marked_in_every_leaf(setting, slots, blind, tmp_path):
    """A gate of the session is taken for one that passed while nobody was there."""
    journal = tmp_path / JOURNAL_FILE
    shutil.copy(blind[1] / JOURNAL_FILE, journal)
    with closing(sqlite3.connect(journal)) as file, file:
        file.execute(
            "UPDATE arrivals SET kind = 'void' WHERE kind = 'gate' AND CAST(body AS TEXT) LIKE ?", (f"{slots[2]} %",)
        )
    books: list[SlotBook] = []
    outcome, _ = replay_journal(setting, slots, journal, tmp_path / "void", seed=SEED, after_slot=books.append)
    assert outcome.summary.ledger_equals_chain
    assert [book.is_void for book in books] == [book.slot == slots[3] for book in books]
    assert not len(books[3].orders)
    with closing(Store(tmp_path / "void")) as store:
        leaves = [made for _, made in leaves_from(store, setting.community, slots[0], slots[BLIND - 1])]
        page = page_of(Reader(store), slots[3])
        assert "gate passed while the market was down" in page["unusual"]
        assert "gate passed" not in page_of(Reader(store), slots[2])["unusual"]
    void = [made.marks for made in leaves]
    assert (void[3][: len(setting.community.members)] & LeafMark.VOID).all()
    assert not any((marks & LeafMark.VOID).any() for k, marks in enumerate(void) if k != 3)


def test_meters_are_waited_for_as_long_as_their_records_count(setting, slots, tmp_path):
    with pytest.raises(InputError, match="patience of 119 s: a record counts for 120 s"):
        rehearse(setting, slots, tmp_path, seed=SEED, pace=Pace(patience=119))


class Stopped(Exception):
    """Somebody pulled the plug."""


@pytest.mark.long
def test_an_interrupted_session_goes_on_to_the_same_end(setting, slots, late, tmp_path):
    outcome, _, books = late
    pace = Pace(late_ppm=100_000, late=7_200)
    for stop in (0, 6, 7, 3):  # slots that are settled before the plug is pulled
        left = [stop]

        def pull(_: SlotBook, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Stopped

        with pytest.raises(Stopped):
            rehearse(setting, slots, tmp_path, seed=SEED, pace=pace, after_slot=pull)
    end, fresh = rehearse(setting, slots, tmp_path, seed=SEED, pace=pace)
    assert fresh
    assert end.summary.state_hash == outcome.summary.state_hash
    assert len(books) == len(slots)


@pytest.mark.long
def test_on_the_wall_reports_come_by_themselves_and_the_hash_is_the_same(setting, slots, replayed, tmp_path):
    some = slots[:6]
    expected, _ = replay(setting, some, tmp_path / "replay", seed=SEED)
    pace = Pace(speed=3_600, patience=36_000, spread=600)
    live, _ = rehearse(setting, some, tmp_path / "live", seed=SEED, pace=pace)
    assert live.summary.state_hash == expected.summary.state_hash != replayed.summary.state_hash


def test_a_journal_of_another_community_is_refused(setting, slots, tmp_path):
    with closing(Journal(tmp_path / JOURNAL_FILE)), pytest.raises(StateError, match="settles no slot"):
        replay_journal(setting, slots, tmp_path / JOURNAL_FILE, tmp_path / "state", seed=SEED)


def test_a_market_with_lines_to_look_after_is_not_live(slots, tmp_path):
    with pytest.raises(ConfigError, match="network: a live market does not look after lines"):
        rehearse(load_setting(FEEDER), slots, tmp_path, seed=SEED, pace=Pace())


def test_what_came_late_is_settled_alone_and_ends_at_what_the_meter_counted(setting, late):
    """Homes without devices did what was recorded, whatever was traded for them while their meters were silent."""
    _, _, books = late
    plain = [k for k, member in enumerate(setting.community.members) if not member.battery_wh and not member.devices]
    known = {book.readings.slot: [book.readings.import_wh.copy(), book.readings.export_wh.copy()] for book in books}
    settled, lines = set[tuple[int, int]](), 0
    for book in books:
        if book.corrections is None:
            continue
        of, lines = book.corrections, lines + len(book.corrections)
        for k, (origin, member) in enumerate(zip(of.origin.tolist(), of.member.tolist(), strict=True)):
            assert origin < book.readings.slot
            assert (origin, member) not in settled, "a reading that came late is settled once"
            settled.add((origin, member))
            known[origin][0][member], known[origin][1][member] = of.now_import_wh[k], of.now_export_wh[k]
    assert lines > 15
    row = (books[0].readings.slot - setting.first_slot) // 3_600
    for book in books:
        substituted = book.readings.quality == ReadingQuality.AS_TRADED
        for k in plain:
            if substituted[k] and (book.readings.slot, k) not in settled:
                continue  # it comes after the session
            at = row + (book.readings.slot - books[0].readings.slot) // 3_600
            net = int(setting.measured.consumption_wh[at, k] - setting.measured.generation_wh[at, k])
            taken, given = (int(way[k]) for way in known[book.readings.slot])
            assert taken - given == net


def test_what_a_silent_meter_would_receive_is_held_until_it_reports(late):
    _, _, books = late
    held, given_back = dict[tuple[int, int], int](), 0
    for book in books:
        members = len(book.readings.import_wh)
        net_n = book.postings.net_n(Accounts(members).total)[:members]
        silent = np.flatnonzero(book.readings.quality == ReadingQuality.AS_TRADED)
        assert (net_n[silent] <= 0).all(), "nobody is paid for what nobody has metered"
        assert not np.isin(book.certificates.device // 2, silent).any()
        free = np.zeros(members, np.int64)
        for row in book.corrections.rows.tolist() if book.corrections else []:
            free[row[0]] += held.pop((row[1], row[0]), 0)
        released = book.postings.only(PostingKind.RELEASE)
        assert dict(zip(released.payee.tolist(), released.amount_n.tolist(), strict=True)) == {
            k: int(n) for k, n in enumerate(free) if n
        }
        given_back += int(free.sum())
        kept = book.postings.only(PostingKind.HOLD)
        held |= {(book.slot, k): n for k, n in zip(kept.payer.tolist(), kept.amount_n.tolist(), strict=True)}
    assert given_back > 0


def test_a_statement_of_who_was_silent_holds(setting, late, tmp_path):
    """Marks of its leaves, what was held and released, and the lines of its late readings."""
    _, folder, books = late
    silent = sum(book.readings.quality == ReadingQuality.AS_TRADED for book in books)
    member, path = setting.community.ids[int(np.argmax(silent))], tmp_path / "statement.json"
    assert call("statement", "--state", folder, "--member", member, "-o", path).code == 0
    assert path.read_text().count('"marks":1') == 2 * int(silent.max())  # of the settlement, and of certificates
    made = call("verify", path, "--state", folder)
    assert made.code == 0, made.out + made.err
    wrong = tmp_path / "wrong.json"
    wrong.write_text(path.read_text().replace('"marks":1,', "", 1))
    assert call("verify", wrong, "--state", folder).code == 1


def test_the_page_of_a_member_tells_what_was_not_metered(late):
    _, folder, books = late
    first, last = books[0].readings.slot, books[-1].readings.slot
    with closing(Store(folder)) as store:
        for member in range(len(books[0].readings.quality)):
            read = Counter(ReadingQuality(int(book.readings.quality[member])) for book in books)
            found = qualities(Reader(store), member, first, last)
            assert found == read - Counter({ReadingQuality.METERED: len(books)})
            said = quality_words(found, len(books))
            silent = f"{read[ReadingQuality.AS_TRADED]} settled as traded, as the meter was silent"
            assert (silent in said) == (read[ReadingQuality.AS_TRADED] > 0)
            assert bool(said) == bool(found)


def test_the_page_of_a_slot_tells_who_was_silent_and_how_much_to_who_may_see_it(late):
    _, folder, books = late
    book = max(books, key=lambda each: int((each.readings.quality == ReadingQuality.AS_TRADED).sum()))
    silent = book.readings.quality == ReadingQuality.AS_TRADED
    with closing(Store(folder)) as store:
        seen, hidden = (page_of(Reader(store), book.slot, viewer)["unusual"] for viewer in (OWNER, Viewer("grid")))
    meters = f"{int(silent.sum())} meter{'s were' if silent.sum() > 1 else ' was'} silent, and settled as traded."
    energy = f"{kwh_text(int(book.readings.import_wh[silent].sum()), 3)} kWh taken"
    assert hidden == meters
    assert seen.startswith(meters)
    assert energy in seen


def test_a_statement_counts_what_its_leaves_mark():
    assert marked_figures([0, 0]) == []
    marks = [int(LeafMark.VOID), int(LeafMark.VOID | LeafMark.SUBSTITUTED), 0]
    assert [(value, text.split(":")[0]) for value, text in marked_figures(marks)] == [
        ("2", "slots whose gate the market missed"),
        ("1", "slots settled as traded, as the meter was silent"),
    ]


WRONG = [
    ({"speed": 0.0}, "seconds of the market"),
    ({"speed": -3.0}, "seconds of the market"),
    ({"patience": -5}, "patience of -5 s"),
    ({"spread": -1}, "spread of -1 s"),
    ({"late_ppm": 5_000_000}, "late 500 %"),
    ({"late": -1}, "late-by of -1 s"),
]


@pytest.mark.parametrize(("given", "why"), WRONG)
def test_a_pace_that_is_none_is_refused(given, why):
    with pytest.raises(InputError, match=why):
        Pace(**given)


def test_a_rehearsal_and_a_market_do_not_share_a_folder(setting, slots, late, tmp_path):
    _, folder, _ = late
    with pytest.raises(StateError, match="its journal is of a rehearsal"):
        go_live(setting, slots, folder, seed=SEED, pace=Pace(), broker="mqtt://127.0.0.1:1", tell=print)
    with (
        closing(Journal(tmp_path / JOURNAL_FILE)),
        pytest.raises(StateError, match="is of boxes at meters"),
    ):
        rehearse(setting, slots, tmp_path, seed=SEED, pace=Pace())


def test_whoever_shows_a_journal_changes_no_byte(late, tmp_path):
    _, folder, _ = late
    for name in (JOURNAL_FILE, "market.sqlite"):
        place = tmp_path / name
        place.mkdir()
        file = Path(shutil.copy(folder / name, place))
        before, mode = file.read_bytes(), place.stat().st_mode
        assert call("journal", "show", file).code == (0 if name == JOURNAL_FILE else 4)
        assert (file.read_bytes(), place.stat().st_mode) == (before, mode)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("live {c} --broker mqtt://127.0.0.1 --days 0", "--days 0: give at least 1"),
        ("live {c} --broker http://x", "write the address of a broker"),
        ("live {c}", "give --broker where boxes report, or --from-recording"),
        ("node invite {c} ada --broker http://x", "write the address of a broker"),
        (
            "node init {b} --community x --broker mqtt://h:99999 --meter tcp://h:1 --code A --slot-minutes 60",
            "of a broker",
        ),
        (
            "node init {b} --community x --broker mqtt://h --meter foo --code A --slot-minutes 60",
            "scheme of a meter's address",
        ),
    ],
)
def test_what_is_typed_wrong_is_one_line_and_makes_nothing(line, why, tmp_path):
    call("init", tmp_path / "c")
    words = line.format(c=tmp_path / "c" / "community.toml", b=tmp_path / "box").split()
    done = call(*words)
    assert (done.code, len(done.err.splitlines())) == (3, 1)
    assert why in done.err
    assert not (tmp_path / "box").exists()
    assert not (tmp_path / "c" / "community.live").exists()
