"""What is wrong with a member's places of a commitment, by what its member knows: its orders, meter and receipts."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tests.fuzz.adversary.commits import Committed
from tests.fuzz.adversary.slots import MEMBERS, SUBSTITUTED, VOID, Registers
from tests.fuzz.adversary.terms import SLOT, WAIT
from transactive.core.proofs.leaves import BLINDING, Leaf
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import Fills, SignedOrder, orders_hash

if TYPE_CHECKING:
    from tests.fuzz.adversary.community import Community

LANE = 2**64 - 1
Content = tuple[list[SignedOrder], Fills]
EMPTY = Leaf(0, 0, 0, 0, 0, 0, ZERO, ZERO, ZERO)


class Fault(Enum):
    """How bad it is."""

    NONE = "right"
    PROVABLE = "a fraud that can be proved"
    UNOPENED = "hashes that nobody opens"
    UNPROVABLE = "amounts that nobody can prove"


def lanes(word: int) -> tuple[int, int, int, int]:
    """Counters of a word."""
    one, two, three, four = ((word >> (64 * k)) & LANE for k in range(4))
    return one, two, three, four


def open_content(record: Committed, index: int) -> Content | None:
    """Orders and trades behind a leaf, if the operator can open it."""
    leaf = record.leaf(index) or EMPTY
    known = index < len(record.fills)
    accepted, fills = (record.accepted[index], record.fills[index]) if known else ([], Fills())
    for some, trade in ((accepted, fills), ([], fills), (accepted, Fills()), ([], Fills())):
        if orders_hash(some) == leaf.orders and trade.hash == leaf.fills:
            return list(some), trade
    return None


def fault(w: Community, record: Committed, index: int) -> Fault:
    """What is wrong with the leaf of money, trades and meter."""
    if record.is_opaque:
        return Fault.UNOPENED
    leaf, slot = record.leaf(index), record.made.slot
    if leaf is None and 0 < int(w.c.read("memberSince", index)) <= slot * SLOT:
        return Fault.PROVABLE
    if leaf is not None and ((leaf.slot & LANE, leaf.index) != (slot, index) or wrong_marks(w, record, index, leaf)):
        return Fault.PROVABLE
    if understated(record, leaf):
        return Fault.PROVABLE
    leaf = leaf or EMPTY
    before = (record.before.leaf(index) if record.before else None) or EMPTY
    totals = before.money + leaf.slot_money, before.energy + leaf.slot_energy
    energy, so_far = lanes(leaf.slot_energy), lanes(leaf.energy)
    if totals != (leaf.money, leaf.energy) or energy[3] > energy[2] or so_far[3] > so_far[2]:
        return Fault.PROVABLE
    is_metered = not leaf.slot >> 64 & SUBSTITUTED
    if leaf is not EMPTY and is_metered and wrong_reading(w, record, index, energy):
        return Fault.PROVABLE
    found = wrong_trade(w, record, index, leaf)
    true = record.truth.marks[index] if index < MEMBERS and leaf is not EMPTY else 0
    return Fault.UNPROVABLE if found is Fault.NONE and leaf.slot >> 64 != true else found


def wrong_marks(w: Community, record: Committed, index: int, leaf: Leaf) -> bool:
    """Whether a mark is none, or what it says is not so: by the leaf, a receipt in time, or the totals of trades."""
    marks, made, before = leaf.slot >> 64, record.made, record.before
    _, credit, bought, sold = lanes(leaf.slot_money)
    if marks & SUBSTITUTED:
        taken, given = max(bought - sold, 0), max(sold - bought, 0)
        if credit or lanes(leaf.slot_energy) != (taken, given, given, 0):
            return True
        office, ends = w.had(w.gateway_since, made.slot * SLOT), (made.slot + 1) * SLOT
        records = record.truth.records.get(index, [])
        if any(office and one.signer == office.address and one.time < ends + SLOT // WAIT for one in records):
            return True
    traded = before.made.money if before else BLINDING
    return marks > SUBSTITUTED | VOID or bool(marks & VOID and made.money >> 128 != traded >> 128)


def understated(record: Committed, leaf: Leaf | None) -> bool:
    """Whether less is stated as substituted than before, or less beyond it than this leaf has."""
    before = record.before.made.substituted_wh if record.before else (0, 0)
    silent = leaf is not None and bool(leaf.slot >> 64 & SUBSTITUTED)
    own = lanes(leaf.slot_energy)[:2] if leaf and silent else (0, 0)
    stated = record.made.substituted_wh
    return any(so_far + wh > said for so_far, wh, said in zip(before, own, stated, strict=True))


def wrong_reading(w: Community, record: Committed, index: int, energy: tuple[int, int, int, int]) -> bool:
    """Whether every signed reading of the slot says otherwise."""
    said = [signed.registers[index] for signed in w.read.get(record.made.slot, []) if index < MEMBERS]
    return bool(said) and energy[:3] not in [(row[0], row[1], row[2] + row[4]) for row in said]


def wrong_trade(w: Community, record: Committed, index: int, leaf: Leaf) -> Fault:
    """Trades against what the member signed last; then amounts that nobody signs."""
    content = open_content(record, index)
    if content is None:
        return Fault.UNOPENED
    accepted, fills = content
    _, _, bought, sold = lanes(leaf.slot_money)
    if fills.energy_wh != (bought, sold):
        return Fault.PROVABLE
    if not accepted and (fills.buys or fills.sells):
        return Fault.PROVABLE
    truth = record.truth
    if accepted:
        last, mine = accepted[-1].order, truth.accepted[index] if index < MEMBERS else []
        if fills != Fills() and (accepted[-1] not in mine or not last.covers(fills)):
            return Fault.PROVABLE
        if any(one.order.serial > last.serial for one in accepted if one in mine) and accepted[-1] in mine:
            return Fault.PROVABLE
    void = leaf.slot >> 64 & VOID
    if index < MEMBERS and not void and any(omitted(w, record, index, accepted)):
        return Fault.PROVABLE
    honest = [int(n) for n in truth.money[index]] if index < MEMBERS else [0] * 4
    return Fault.NONE if lanes(leaf.slot_money) == tuple(honest) else Fault.UNPROVABLE


def omitted(w: Community, record: Committed, index: int, accepted: list[SignedOrder]) -> list[bool]:
    """Receipts of whoever was operator as the slot began, for orders that are left out."""
    begins = record.made.slot * SLOT
    office = w.had(w.operator_since, begins)
    listed = {one.order.hash for one in accepted}
    return [
        one.order.hash not in listed for one in record.truth.receipts[index] if office and one.signer == office.address
    ]


def carbon_fault(w: Community, record: Committed, index: int) -> Fault:
    """What is wrong with the leaf of certificates."""
    own, leaf = record.leaf(index) or EMPTY, record.leaf(index, carbon=True)
    _, _, produced, certified = lanes(own.slot_energy)
    metered, issued, claimed, consumed = lanes((leaf or EMPTY).money)
    if (metered, issued) != (produced, certified):
        return Fault.PROVABLE
    if leaf is None:
        return Fault.NONE
    is_metered = not leaf.slot >> 64 & SUBSTITUTED
    if (own is not EMPTY and leaf.slot != own.slot) or (issued and not is_metered):
        return Fault.PROVABLE
    received = lanes(leaf.energy)[0]
    sound = claimed <= issued <= metered and received <= consumed
    whole = lanes(record.carbon.money), lanes(record.carbon.energy)
    sound = sound and whole[0][2] <= whole[0][1] <= whole[0][0] and whole[0][2] == whole[1][0] <= whole[0][3]
    if not sound or (leaf.slot & LANE, leaf.index) != (record.made.slot, index):
        return Fault.PROVABLE
    said: list[Registers] = [signed.registers[index] for signed in w.read.get(record.made.slot, []) if index < MEMBERS]
    truths = [(row[2] + row[4], row[0] + row[2] + row[4] - row[1] - row[3]) for row in said]
    if is_metered and truths and (metered, consumed) not in truths:
        return Fault.PROVABLE
    return wrong_record(record, index, leaf, (issued, claimed, received))


def wrong_record(record: Committed, index: int, leaf: Leaf, sums: tuple[int, int, int]) -> Fault:
    """Bundles behind a leaf against its sums; what nobody opens, or bundles of another owner, is for the arbiter."""
    if index >= len(record.records.hashes) or record.records.hashes[index] != leaf.fills:
        return Fault.UNPROVABLE
    rows = record.records.rows[index]
    mine = [row for row in rows if row[0] // 2 == index]
    said = (
        sum(row[2] for row in mine),
        sum(row[2] for row in mine if row[4] == 3),
        sum(row[2] for row in rows if row[4] == 3 and row[3] == index),
    )
    ends: dict[int, int] = {}
    for device, first, wh, *_ in rows:
        if first < ends.get(device, 0):
            return Fault.PROVABLE
        ends[device] = first + wh
    if said != sums:
        return Fault.PROVABLE
    true = [row for row in record.truth.bundles if row[0] // 2 == index or row[3] == index]
    return Fault.NONE if sorted(true) == sorted(rows) else Fault.UNPROVABLE
