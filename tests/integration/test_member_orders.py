"""Orders by hand in a live market: in place of the agent's, within the member's limits, replayed from the journal."""

import re
import shutil
from contextlib import closing, nullcontext, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.integration.samples import write_community
from tests.integration.test_accounts import SECURE, browser, join
from tests.integration.test_member_acts import SEED, Session, Stopped, do
from transactive.config.setting import load_setting
from transactive.core.errors import InputError, OrderError, StateError
from transactive.core.slots import time_text
from transactive.engine.authorisations import read, write
from transactive.engine.live.session import OUTBOX_FILE, replay_journal
from transactive.engine.live.waiting import WallClock
from transactive.engine.replay import slots_from
from transactive.services.acts.asked import AskCancel, AskLimits, AskOrder, AskPause, AskStep
from transactive.services.acts.authorisations import shown
from transactive.services.readings.inbox import note_community
from transactive.store import Store
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, JournalReader

HOUR = 3_600
FORM_KEY = re.compile(r'name="key" value="([^"]+)"')


def order(slot: int, price: int, energy: int, *, buys: bool = True) -> AskOrder:
    steps = (AskStep(price_micro_per_kwh=price, energy_wh=energy),)
    return AskOrder(slot=time_text(slot), buys=steps) if buys else AskOrder(slot=time_text(slot), sells=steps)


def sent_to(folder: Path) -> int:
    """How many orders a journal has."""
    with closing(JournalReader(folder / JOURNAL_FILE)) as journal:
        return len(journal.of_kinds((ArrivalKind.ORDER,), 0))


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Session:
    """A session that was stopped after ten slots: home b had ordered for slot 11, and for 12, which it cancelled."""
    path = write_community(tmp_path_factory.mktemp("community"))
    session = Session(load_setting(path), tmp_path_factory.mktemp("live") / "state", {})
    note_community(session.folder, path)

    def send() -> None:
        first = shown(session.folder).first
        do(session.folder, order(first + HOUR, 201_000, 432), "b", key="once")
        do(session.folder, order(first + HOUR, 201_000, 432), "b", key="once")
        do(session.folder, order(first + 2 * HOUR, 201_000, 432), "b")
        do(session.folder, AskCancel(slot=time_text(first + 2 * HOUR)), "b")

    def stop() -> None:
        raise Stopped

    session.acts = {8: send, 13: stop}
    with pytest.raises(Stopped):
        session.rehearsed()
    return session


def test_an_order_by_hand_stands_in_place_of_the_agents_and_a_cancelled_one_leaves_nothing(live):
    ordered, cancelled = live.books[10].orders, live.books[11].orders
    own = ordered.only(ordered.member == 1)
    assert (own.is_buy.tolist(), own.price.tolist(), own.energy_wh.tolist()) == ([True], [201_000], [432])
    assert not (cancelled.member == 1).any()
    receipts = [one for one in live.books[10].accepted if one.signed.order.account == 1]
    assert [one.number > 0 for one in receipts] == [True]  # sent once, though asked for twice


def test_a_session_with_orders_by_hand_goes_on_and_is_its_journal_replayed(live, tmp_path):
    folder = tmp_path / "state"
    with suppress(FileExistsError):
        folder.mkdir()
    again, _ = replay_journal(live.setting, slots_from(live.setting), live.folder / JOURNAL_FILE, folder, seed=SEED)
    assert again.summary.ledger_equals_chain
    whole = Session(live.setting, tmp_path / "again", {})
    with closing(JournalReader(live.folder / JOURNAL_FILE)) as journal:
        settled = sum(entry.kind is ArrivalKind.SETTLED for entry in journal.all_after(0))
    replay_journal(
        live.setting, slots_from(live.setting), live.folder / JOURNAL_FILE, whole.folder, seed=SEED,
        after_slot=whole.books.append,
    )  # fmt: skip
    assert len(whole.books) == settled
    for one, other in zip(live.books, whole.books, strict=False):
        assert one.orders.price.tolist() == other.orders.price.tolist()
        assert one.postings.amount_n.tolist() == other.postings.amount_n.tolist()


def test_a_home_orders_beside_one_that_keeps_its_key_and_cannot_order_here(live, tmp_path):
    folder = shutil.copytree(live.folder, tmp_path / "state")
    with closing(Store(folder)) as store:
        write(store, [replace(each, signature="") if not each.authorisation.account else each for each in read(store)])
    slot = shown(folder).first + 3 * HOUR
    do(folder, order(slot, 201_000, 432), "b")
    with pytest.raises(StateError, match="keeps the key of its account"):
        do(folder, order(slot, 201_000, 432), "a")


def test_what_the_market_or_the_members_limits_do_not_take_is_refused_and_leaves_nothing(live):
    folder, first = live.folder, shown(live.folder).first
    before = sent_to(folder)
    for asked, error, said in (
        (order(first - 2 * HOUR, 200_000, 100), OrderError, "closed"),
        (order(first + 30 * 24 * HOUR, 200_000, 100), InputError, "not in this run"),
        (order(first + 60, 200_000, 100), InputError, "not in this run"),
        (order(first + HOUR, 1_000, 100), OrderError, "not on the grid"),
        (order(first + HOUR, 200_000, 100, buys=False), OrderError, "the devices can give 0"),
        (AskOrder(slot=time_text(first)), InputError, "buys or sells something"),
    ):
        with pytest.raises(error, match=said):
            do(folder, asked, "b")
    do(folder, AskLimits(never_pay_above_micro_per_kwh=150_000), "b")
    with pytest.raises(InputError, match="beyond your own limits"):
        do(folder, order(first + HOUR, 200_000, 100), "b")
    do(folder, AskPause(), "b")
    with pytest.raises(InputError, match="you pause then"):
        do(folder, order(first + HOUR, 100_000, 100), "b")
    assert sent_to(folder) == before


def test_an_order_that_was_sent_and_not_logged_is_logged_when_it_is_asked_for_again(live, monkeypatch):
    asked, before = order(shown(live.folder).first + 4 * HOUR, 200_000, 100), sent_to(live.folder)

    def killed(*_: object) -> int:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("transactive.services.acts.authorisations.add_act", killed)
        with pytest.raises(Stopped):
            do(live.folder, asked, "a", key="torn")
    assert sent_to(live.folder) == before + 1
    again = do(live.folder, asked, "a", key="torn")
    assert again.order is not None
    assert (again.order.serial, sent_to(live.folder)) == (0, before + 1)
    assert do(live.folder, asked, "a", key="torn") == again


def test_an_order_by_hand_is_held_against_the_clock_of_its_market(live, tmp_path):
    """A rehearsal in another year, and sixty times as quick, takes orders until its own gates."""
    folder = shutil.copytree(live.folder, tmp_path / "state")
    (folder / OUTBOX_FILE).unlink()
    first = shown(folder).first
    gate = live.setting.community.clock.gate(first)
    for begin, taken in ((gate - 600, True), (gate + 1, False)):
        WallClock(60, begin).note(folder)
        with nullcontext() if taken else pytest.raises(OrderError, match="closed"):
            do(folder, order(first, 201_000, 433 + taken), "a")


def test_a_limit_is_rounded_to_the_grid_never_to_the_members_harm(live):
    first = shown(live.folder).first
    bought = do(live.folder, order(first + 3 * HOUR, 200_001, 100), "a").order
    sold = do(live.folder, order(first + 3 * HOUR, 100_001, 100, buys=False), "a").order
    assert bought is not None
    assert sold is not None
    assert (bought.buys, bought.serial) == (((200_000, 100),), 0)
    assert sold.sells[0][0] > 100_001
    assert sold.serial == 1


def test_a_home_orders_on_its_page_cancels_and_sees_what_became_of_it(live):
    with browser(live.folder, SECURE) as client:
        assert join(client, live.folder, "member", "c", "cem").status_code == 303
        assert "Orders by hand" in client.get("/member").text

        def send(**fields):
            key = FORM_KEY.findall(client.get("/member").text)[0]
            return client.post("/member/acts", data={"key": key, **fields}, follow_redirects=False)

        slot = time_text(shown(live.folder).first + HOUR)
        form = {"kind": "order", "slot": slot, "side": "buy", "price": "20"}
        for wrong, said in (("0", "above 0"), ("much", "Energy is"), ("", "Energy is")):
            answer = send(**form, energy=wrong)
            assert answer.status_code == 400
            assert said in answer.text
        for field in ({"energy": "9" * 5_000}, {"energy": "1", "key": ""}, {"energy": "1", "key": "k" * 101}):
            assert send(**form, **field).status_code == 400
        assert send(**form, energy="0,3").status_code == 303
        page = client.get("/member").text
        assert "Buy 0.300 kWh up to 20.00 ct/kWh" in page
        assert "Waits for its gate, with a receipt of the market." in page
        assert send(kind="cancel", slot=slot).status_code == 303
        assert "Cancelled: nothing is ordered" in client.get("/member").text
        assert send(**form, energy="0.25").status_code == 303
        page = client.get("/member").text
        assert page.count("Replaced by no.") == 2
        item = client.get("/api/v1/acts").json()["items"][-1]
        assert (item["order"]["buys"], item["order"]["serial"]) == ([[200_000, 250]], 2)
        assert item["from_slot"][:16] == slot[:16]
        assert len(item["order"]["receipt"]) == 132
        live.acts = {}
        live.rehearsed()
        page = client.get("/member").text
        assert re.search(r"(Filled|Partly|Not filled), 0\.\d{3} of 0\.250 kWh: ", page)
        assert "Cancel this order" not in page


def test_a_run_on_recorded_data_takes_no_orders(tmp_path):
    path = write_community(tmp_path)
    session = Session(load_setting(path), tmp_path / "state", {})

    def stop() -> None:
        raise Stopped

    session.acts = {1: stop}
    with pytest.raises(Stopped):
        session.replayed()
    with pytest.raises(StateError, match="orders are sent to a live market"):
        do(session.folder, order(shown(session.folder).first, 200_000, 1), "b")
