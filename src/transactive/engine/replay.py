"""A run on recorded data: opens chain and database in a folder, walks, and sums up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from transactive.config.setting import Setting
from transactive.core.errors import DataError, StateError
from transactive.core.slot_book import SlotBook
from transactive.core.slots import DAY, parse_time, time_text
from transactive.engine import state_folder
from transactive.engine.books.signed_run import Gateway
from transactive.engine.chain_location import IN_FOLDER, ChainLocation, Opened, open_chain, require_end
from transactive.engine.devices.fleet import IN_TURN, Work, compiled_work
from transactive.engine.kernel import Kernel
from transactive.engine.recorded import recorded_run
from transactive.engine.state_folder import UNASKED, Word
from transactive.insight.summarising import member_bills, summarise
from transactive.insight.summary import ChainSummary, MemberBill, Summary
from transactive.store import Store
from transactive.store.folder import hold
from transactive.store.read.items import read_items

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain


class KernelMaker(Protocol):
    """Builds the kernel of a run, with its ports, on an open chain and database."""

    def __call__(
        self, setting: Setting, slots: range, gateway: Gateway, *, chain: CommunityChain, store: Store, work: Work
    ) -> Kernel:
        """The kernel."""
        ...


WAIT = "are kept, and settled in the next slot that has readings"


class Outcome(msgspec.Struct, frozen=True):
    """What a finished run has to say."""

    summary: Summary
    bills: list[MemberBill]


def slots_of(setting: Setting, start: int, days: int) -> range:
    """Slots of `days` days from `start` [Unix s]. Raises DataError where the data lack them or their history."""
    length = setting.community.clock.length
    if start % length:
        raise DataError(f"start {time_text(start)} does not begin a slot of {length // 60} minutes")
    end = start + days * DAY
    first, last = _first_possible(setting), setting.measured_end
    if not (first <= start and end <= last):
        raise DataError(
            f"{time_text(start)} and {days} days from it are not in the data, which can be run from {time_text(first)},"
            f" a day of history in, to {time_text(last)}; choose another start or fewer days"
        )
    return range(start, end, length)


def slots_from(setting: Setting) -> range:
    """Slots of a community's own run: from run.first_slot, or the first with a day of history, for run.days.

    Without run.days to the last reading. Raises DataError where the data lack them or their history.
    """
    clock = setting.community.clock
    wanted, history = setting.community.run.first_slot, _first_possible(setting)
    first = parse_time(wanted) if wanted else history
    if first % clock.length:
        raise DataError(f"run.first_slot {wanted} does not begin a slot of {clock.length // 60} minutes")
    if not history <= first < setting.measured_end:
        raise DataError(
            f"run.first_slot {time_text(first)} must lie between {time_text(history)}, a day of history in, and"
            f" {time_text(setting.measured_end)}, where the readings end"
        )
    days = setting.community.run.days
    return range(first, setting.measured_end, clock.length) if days is None else slots_of(setting, first, days)


def _first_possible(setting: Setting) -> int:
    """First slot whose gate closes when a day of readings is known."""
    clock = setting.community.clock
    return setting.first_slot + DAY + clock.lead * clock.length


def replay(
    setting: Setting,
    slots: range,
    folder: Path,
    *,
    seed: str,
    target: ChainLocation = IN_FOLDER,
    after_slot: Callable[[SlotBook], None] = lambda _: None,
    compiled: bool = False,
    timer: Callable[[], float] = lambda: 0.0,
    made: KernelMaker = recorded_run,
    word: Word = UNASKED,
) -> tuple[Outcome, bool]:
    """Run slots with the database in `folder` and the chain there or elsewhere, or go on where a run was interrupted.

    compiled: plans in machine code, on all processors; the same results. timer: a clock in seconds, for the summary.
    made: gives the kernel its ports; those of a replay by default. word: what the operator says of corrected readings.
    Returns the outcome and whether this call made it: a finished run is left as it is. Raises StateError if the folder
    holds another run, is in use, or cannot be written, and InputError where nothing can be compiled.
    """
    began = timer()
    try:
        with (
            compiled_work() if compiled else nullcontext(IN_TURN) as work,
            hold(folder),
            closing(Store.settled(folder, setting.store_url)) as store,
        ):
            waiting = state_folder.claim(store, setting, slots, seed, target.name, word, keys_here=target.keys is None)
            earlier = store.setting("outcome")
            if earlier is not None:
                outcome = msgspec.json.decode(earlier, type=Outcome)
                require_end(target, setting, slots[0], folder, store, seed, outcome.summary)
                if waiting:
                    print(f"transactive: {folder}: {waiting:,} corrected readings {WAIT}", file=sys.stderr)
                return outcome, False
            with open_chain(target, setting, slots[0], folder, store, seed) as opened:
                signer = opened.keys.role("gateway")
                gateway = Gateway(bytes(signer.key), signer.address)
                walk = made(setting, slots, gateway, chain=opened.ledger, store=store, work=work)
                outcome = _walk(walk, opened, store, after_slot, lambda: timer() - began)
            store.set(outcome=msgspec.json.encode(outcome).decode())
            return outcome, True
    except OSError as error:
        raise StateError(f"{folder}: {error}; free space or permissions, then run the same again") from error


def _walk(
    walk: Kernel,
    opened: Opened,
    store: Store,
    after_slot: Callable[[SlotBook], None],
    seconds: Callable[[], float],
) -> Outcome:
    """Walk on an opened chain and sum up."""
    equal, bills, community = walk.run(after_slot), bills_of(walk), walk.community
    summary = summarise(
        walk.tally,
        bills,
        mechanism=community.market.mechanism,
        levy=community.at(walk.slots[-1]).carbon.levy.mode,
        managed=community.grid.manage if community.network else None,
        chain=_chain_summary(opened, len(community.members)),
        ledger_equals_chain=equal,
        state_hash=walk.state_hash,
        seconds=seconds(),
        credited=(walk.offsets.uncovered_mg, walk.offsets.avoided_kg),
        items=read_items(store),
        forecasts=walk.forecasts.summary(),
    )
    return Outcome(summary, bills)


def _chain_summary(opened: Opened, members: int) -> ChainSummary:
    """Figures of the chain after a run."""
    commits, nettings = opened.ledger.gas_slot_commits, opened.ledger.gas_nettings
    return ChainSummary(
        url=opened.url,
        height=opened.client.height,
        slot_commits=len(commits),
        nettings=len(nettings),
        gas_per_slot_commit=sum(commits) // len(commits),
        gas_per_member_netting=sum(nettings) // max(len(nettings) * members, 1),
    )


def bills_of(walk: Kernel) -> list[MemberBill]:
    """Bills of all members, with the credit for what their devices hold, less what batteries held before the run."""
    before_wh = walk.devices.deliverable_wh(walk.devices.first_charged_wh)
    with_market, without = (fleet.left_wh() - before_wh for fleet in (walk.fleet, walk.baseline_fleet))
    return member_bills(walk.tally, walk.community.ids, with_market, without)
