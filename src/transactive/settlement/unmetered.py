"""Members that nobody has metered in a slot: settled as traded, alone; the true difference later, at its tariff.

At first a silent meter is taken to have read what its member traded, so that nobody else's posting will ever change.
What the slot would bring the member is held, and its locks stay. When a reading comes, or the slot closes without one,
the difference is priced at the tariff of the slot that was metered:

    needs (sold and not delivered; taken beyond what was bought)      cost the supply price
    gives (bought and not taken; delivered beyond what was sold)      bring the feed-in

Neither meets the other, as the registers of one meter never do. On time a need costs at most the supply price and a
give brings at least the feed-in (`settlement.netted`), so being late never pays. The supplier and the network receive
what they would have received of the same meters on time,

    F(I, E) = supply · max(I − E, 0) − feed-in · max(E − I, 0) + fee · min(I, E)

with I and E what all import and export; where no price suits both sides, supply · I − feed-in · E. What is left is the
community's. Since feed-in + fee ≤ supply it is never below zero: F rises by at most the supply price with I and by no
less than the feed-in, and falls with E by at least the feed-in and at most the supply price.

Where energy that stays near bears a lower fee, the network is due fee · min(I, E) − (fee − near fee) · near, with what
stays near by all these meters. A reading can make more far than it pays for, because it moves what others used of their
neighbours, and their fees are posted: then the network receives what there is, and the rest with the next late reading
of the slot. So it never gives back more than it received, and nobody pays for another's silence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.errors import require
from transactive.core.postings import PostingKind, Postings
from transactive.core.tariff import Tariff
from transactive.core.trades.positions import Positions
from transactive.core.units import BoolArray, IntArray
from transactive.settlement.funds import collect, transfer


class SlotFlow(NamedTuple):
    """What a slot's meters count [Wh]: import and export of all, without what each counts in both directions.

    near_wh: local energy that stays near, where that bears a lower fee [Wh]; owed_n: what of its fees the network has
    not received [n¤].
    """

    imports_wh: int
    exports_wh: int
    near_wh: int = 0
    owed_n: int = 0

    def with_reading(self, traded: tuple[int, int], read: tuple[int, int]) -> SlotFlow:
        """The same with a member's reading in place of what it traded, each import and export [Wh]."""
        taken, given = read[0] - traded[0], read[1] - traded[1]
        both = both_ways_wh(taken, given)
        return self._replace(imports_wh=self.imports_wh + taken - both, exports_wh=self.exports_wh + given - both)

    @property
    def local_wh(self) -> int:
        """What was given inside the community [Wh]."""
        return min(self.imports_wh, self.exports_wh)


class Late(NamedTuple):
    """What a reading makes of a slot that was settled as traded: prices of both registers, and who gets the rest.

    import_price, export_price: of the difference to what was traded [µ¤/kWh]. community_n, network_n: of what the
    member pays, the rest being the supplier's [n¤]; flow: of the slot, with this reading.
    """

    import_price: int
    export_price: int
    community_n: int
    network_n: int
    flow: SlotFlow


def both_ways_wh(taken_wh: int, given_wh: int) -> int:
    """What a meter counted in both directions beyond what was traded [Wh]: its registers never net each other."""
    return min(max(taken_wh, 0), max(given_wh, 0))


def price_late(
    traded: tuple[int, int],
    read: tuple[int, int],
    flow: SlotFlow,
    tariff: Tariff,
    *,
    own: bool,
    near_wh: int = 0,
) -> Late:
    """Price the reading of a member that was settled as traded.

    traded, read: import and export [Wh]. flow: of the slot as it is settled so far. tariff: of the slot and the member;
    own: whether members have prices of their own. Where they have, or share by keys, all is the supplier's. near_wh:
    local energy that stays near with this reading [Wh], where the tariff has a fee for it.
    """
    taken, given = read[0] - traded[0], read[1] - traded[1]
    import_price = tariff.supply if taken >= 0 else tariff.feed_in
    export_price = tariff.feed_in if given >= 0 else tariff.supply
    both, after = both_ways_wh(taken, given), flow.with_reading(traded, read)
    if own or not tariff.meets:
        return Late(import_price, export_price, 0, 0, after)
    paid = taken * import_price - given * export_price
    due = tariff.fee * (after.local_wh - flow.local_wh)
    supplier = _grid_n(after, tariff) - _grid_n(flow, tariff) + both * (tariff.supply - tariff.feed_in)
    network = due
    if tariff.near is not None:
        due += flow.owed_n - (tariff.fee - tariff.near.fee) * (near_wh - flow.near_wh)
        network = min(due, paid - supplier)
        after = after._replace(near_wh=near_wh, owed_n=due - network)
    rest = paid - supplier - network
    require(rest >= 0, "the community account never falls by a late reading")
    return Late(import_price, export_price, rest, network, after)


def price_again(traded: tuple[int, int], was: tuple[int, int], now: tuple[int, int], tariff: Tariff) -> tuple[int, int]:
    """Prices of both registers of a slot that was settled as traded, once its first reading is replaced [µ¤/kWh].

    traded, was, now: import and export [Wh]. More that is taken or given has the price of any correction, less has it
    down to what was traded: what was bought and not taken, or sold and not delivered, has the price that it has at
    first. So nobody that let a slot close gets the supply price for what it bought and did not need. Rounded against
    the member.
    """
    less_taken, less_given = was[0] - now[0], was[1] - now[1]
    import_price, export_price = tariff.supply, tariff.feed_in
    if less_taken > 0:
        unused = max(min(traded[0], was[0]) - now[0], 0)
        import_price = (tariff.supply * (less_taken - unused) + tariff.feed_in * unused) // less_taken
    if less_given > 0:
        undelivered = max(min(traded[1], was[1]) - now[1], 0)
        export_price = -((-tariff.feed_in * (less_given - undelivered) - tariff.supply * undelivered) // less_given)
    return import_price, export_price


def _grid_n(flow: SlotFlow, tariff: Tariff) -> int:
    """What the supplier receives of the net energy [n¤]."""
    grid = flow.imports_wh - flow.exports_wh
    return grid * (tariff.supply if grid > 0 else tariff.feed_in)


def share_late(slot: int, community_n: int, network_n: int, accounts: Accounts) -> Postings:
    """Pass on what late readings brought the supplier beyond its tariff; what the network gives back goes its way."""
    supplier, kind = accounts.supplier, PostingKind.CORRECTION
    passed = transfer(slot, kind, supplier, np.array([accounts.community]), np.array([community_n]))
    fee = transfer(slot, kind, supplier, np.array([accounts.network]), np.array([max(network_n, 0)]))
    back = transfer(slot, kind, accounts.network, np.array([supplier]), np.array([max(-network_n, 0)]))
    return passed.and_then(fee).and_then(back)


def hold_unmetered(postings: Postings, silent: BoolArray, accounts: Accounts) -> Postings:
    """Hold all that a slot brings on balance to members that nobody has metered, (members,), until somebody has."""
    income_n = np.maximum(postings.net_n(accounts.total)[: accounts.members], 0)
    return collect(postings.slot, PostingKind.HOLD, accounts.community, np.where(silent, income_n, 0))


def release(slot: int, held_n: IntArray, accounts: Accounts) -> Postings:
    """Give back what was held of each member for slots that are metered or closed now, (members,)."""
    return transfer(slot, PostingKind.RELEASE, accounts.community, np.arange(accounts.members), held_n)


def most_cost_n(positions: Positions, tariff: Tariff, locked_n: IntArray, held_n: IntArray) -> IntArray:
    """What a slot can still cost each member that nobody metered [n¤], (members,): its locks, and all that it sold."""
    supply = np.broadcast_to(np.asarray(tariff.supply_of), locked_n.shape)
    undelivered: IntArray = positions.sold_wh * np.maximum(supply, 0) - held_n
    return np.maximum(locked_n, undelivered)


def closing_use_wh(past_wh: IntArray, stated_wh: int | None = None) -> int:
    """What a member counts as having used in a slot that was never metered [Wh].

    past_wh: its metered use at the same hour of earlier days. stated_wh: the operator's estimate, which counts where it
    is above the median of those.
    """
    median = int(np.median(past_wh)) if len(past_wh) else 0
    return max(median, stated_wh or 0)
