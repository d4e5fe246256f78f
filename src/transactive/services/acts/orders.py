"""Orders that members send by hand to a live market: signed within what they allow, receipted at its desk."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import InputError, StateError
from transactive.core.governance.decided import Decided, with_decided
from transactive.core.proofs.members.authorisation import Authorised, in_force
from transactive.core.proofs.members.member_acts import HandOrder
from transactive.core.proofs.order_records import order_bytes, order_of
from transactive.core.proofs.signed_orders import Order, SignedOrder, Step
from transactive.core.slots import DAY, parse_time, time_text
from transactive.core.tariff import PriceGrid
from transactive.engine.devices.recorded_history import ReplayClock
from transactive.engine.governance.recorded_rules import recorded
from transactive.services.acts.asked import AskCancel, AskStep, Ordering
from transactive.services.acts.signers import Signer
from transactive.services.readings.inbox import community_file
from transactive.store import Store
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Journal
from transactive.store.read.runs import Reader, Run

if TYPE_CHECKING:
    from transactive.config.setting import Setting


def takes_orders(folder: Path) -> bool:
    """Whether orders by hand can be sent to the market of a state: it is or was live."""
    return (folder / JOURNAL_FILE).exists()


def send(store: Store, asked: Ordering, given: Sequence[Authorised], account: int, signer: Signer) -> HandOrder:
    """Send what a member orders for a slot, or that it orders nothing in it after all, and return it with its receipt.

    given: what members allow. Raises InputError for what the market or the member's limits do not take, StateError
    where there is no live market.
    """
    from transactive.engine.live.order_desk import OrderDesk
    from transactive.engine.live.session import OUTBOX_FILE
    from transactive.engine.live.waiting import WallClock

    folder = store.path.parent
    run = Reader(store).run()
    if run is None or not takes_orders(folder):
        raise StateError(
            f"{folder}: orders are sent to a live market (`transactive live`); this run is on recorded data"
        )
    slot = parse_time(asked.slot)
    if not run.holds(slot):
        raise InputError(f"slot {asked.slot}: not in this run; give the start of one of its slots")
    setting = _setting(folder, run)
    with closing(Journal(folder / JOURNAL_FILE)) as journal:
        newest = _newest(journal, account, slot // setting.community.clock.length)
        order = _order(setting, asked, slot, account, newest.order.serial + 1 if newest else 0)
        signed = _signed(order, given, signer, slot, run)
        if newest and (newest.order.buys, newest.order.sells) == (order.buys, order.sells):
            signed = newest  # it stands already, and was not logged if a power supply was lost: its receipt is the same
        now = journal.received if (folder / OUTBOX_FILE).exists() else WallClock.noted(folder).now
        desk = OrderDesk(journal, ReplayClock(now), setting, _slots(run))
        desk.open(signer)
        receipt = desk.take(order_bytes(signed), account)
    order = signed.order
    return HandOrder(
        slot, order.serial, order.buys, order.sells, receipt.number, receipt.received, "0x" + receipt.receipt.hex()
    )


def _setting(folder: Path, run: Run) -> Setting:
    """What decides the prices of a market's slots. Raises StateError where its community file is not known."""
    path = community_file(folder)
    if path is None:
        raise StateError(f"{folder}: the community file of this market is not known here; begin it with this program")
    written = path.stat().st_mtime_ns if path.exists() else 0
    return _read_setting(path, written, tuple(recorded(folder)), run.clock.end(run.last_slot) + DAY)


@lru_cache(maxsize=4)
def _read_setting(
    path: Path,
    written: int,  # noqa: ARG001 - written anew, it is read anew
    decided: tuple[Decided, ...],
    until: int,
) -> Setting:
    """Read a community with its data, once as long as its file is as it was written [ns], and its decisions are."""
    from transactive.config.setting import load_setting

    return load_setting(path, until=until, revised=partial(with_decided, decided=decided))


def _slots(run: Run) -> range:
    """Slots of a run."""
    return range(run.first_slot, run.clock.end(run.last_slot), run.clock.length)


def _newest(journal: Journal, account: int, number: int) -> SignedOrder | None:
    """The newest order of an account for a slot (its number) in a journal; None before there is any."""
    known = [order_of(entry.body) for entry in journal.of_kinds((ArrivalKind.ORDER,), 0)]
    own = [each for each in known if (each.order.account, each.order.slot) == (account, number)]
    return max(own, key=lambda each: each.order.serial, default=None)


def _order(setting: Setting, asked: Ordering, slot: int, account: int, serial: int) -> Order:
    """The order that a request makes, on the market's price grid, with a serial after all that it replaces."""
    number = slot // setting.community.clock.length
    if isinstance(asked, AskCancel):
        return Order(account, number, serial, (), ())
    if not asked.buys and not asked.sells:
        raise InputError("an order buys or sells something; to order nothing in a slot, cancel")
    grid = PriceGrid.of(setting.tariff(slot), setting.community.market.tick_micro_per_kwh)
    buys = sorted((_step(each, grid, up=False) for each in asked.buys), reverse=True)
    return Order(
        account, number, serial, tuple(buys), tuple(sorted(_step(each, grid, up=True) for each in asked.sells))
    )


def _step(asked: AskStep, grid: PriceGrid, *, up: bool) -> Step:
    """A step on the grid: never at a worse price than was asked for, and no better than any that can be had."""
    above = asked.price_micro_per_kwh - grid.floor
    price = grid.floor + (-(-above // grid.tick) if up else above // grid.tick) * grid.tick
    return (max(price, grid.floor) if up else min(price, grid.cap)), asked.energy_wh


def _signed(order: Order, given: Sequence[Authorised], signer: Signer, slot: int, run: Run) -> SignedOrder:
    """An order signed by the agent's key within the grant that counts for its slot, or by the member's without one.

    Raises InputError for one beyond what the member allows.
    """
    counts = in_force(given, slot).get(order.account)
    is_allowed = counts is not None and counts.authorisation.allows(order, slot, run.clock.end(slot))
    if (order.buys or order.sells) and not is_allowed:  # what is cancelled needs no leave
        raise InputError(
            f"order for {time_text(slot)}: is beyond your own limits, or you pause then; change them first"
        )
    agent, place = signer.keys.agent(order.account), signer.place_here(order.account)
    if counts is not None and counts.grant is not None and agent is not None and str(agent.address) == counts.key:
        return SignedOrder(order, place.signature(order, bytes(agent.key)), *counts.grant)
    return place.sign_order(order, bytes(signer.keys.account(order.account).key))
