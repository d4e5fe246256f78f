"""What other rules would have meant: a line for each member, the spread of all, and a root that binds every line.

Lines are leaves of a Merkle-sum tree. Each is salted, so that a proof tells nothing of a neighbour but hashes and
sums of halves of the tree; and all lines add up to the published totals. A bill is what a member pays less what
it receives, so it can be below zero; in the tree a fixed bias is added to each.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from transactive.core.errors import InputError
from transactive.core.proofs.merkle import Lanes, Step, Tree, climb, depth_for, word, words

SUMS = Lanes(("members", "today", "held", "planned"), 64)
BIAS = 1 << 49
"""Added to each bill [n¤], 562,949 ¤: the sums of 8,192 members fit their lanes."""
FEWEST = 5
"""People whose figures are shown together, at least: of fewer one could tell somebody's."""
QUARTERS = 4
"""Parts of the members between quartiles; each holds enough of them, or five members would be five quartiles."""
NOT_A_FORECAST = "a replay is not a forecast: people who know the new rules act otherwise"
Basis = ("held", "planned")


@dataclass(frozen=True, slots=True)
class ReplayedBills:
    """A member's bills of the replayed slots [n¤]: today's rules, new ones with behaviour held, and re-planned."""

    index: int
    today_n: int
    held_n: int
    planned_n: int

    @property
    def sums(self) -> int:
        """Packed for the tree. Raises InputError for a bill that is too large for it."""
        bills = [bill + BIAS for bill in (self.today_n, self.held_n, self.planned_n)]
        if min(bills) < 0 or max(bills) >= 2 * BIAS:
            raise InputError(f"member {self.index}: a bill of more than {BIAS // 10**9:,} ¤; replay fewer days")
        return SUMS.pack((1, *bills))

    def hash(self, salt: bytes) -> bytes:
        """Leaf of the tree."""
        return sha256(b"\x00" + salt + words((self.index, self.today_n, self.held_n, self.planned_n))).digest()


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How a change falls on members [n¤ as text]: below zero is less to pay.

    quartiles_n: least, lower, middle, upper, most; None below twenty members. largest_loss_n is None below five. Of
    fewer one could tell somebody's own.
    """

    total_n: str
    losers: int
    quartiles_n: tuple[str, ...] | None
    largest_loss_n: str | None
    groups_n: dict[str, str]


def spread(lines: Sequence[ReplayedBills], groups: Mapping[int, str], basis: str) -> Spread:
    """Spread of the differences to today. groups: by member; those of fewer than five are shown as one.

    Raises InputError for a basis that there is not.
    """
    if basis not in Basis:
        raise InputError(f"basis {basis!r}: there are {' and '.join(Basis)}")
    more = {line.index: (line.held_n if basis == "held" else line.planned_n) - line.today_n for line in lines}
    ordered = sorted(more.values())
    enough, shown = len(ordered) >= QUARTERS * FEWEST, len(ordered) >= FEWEST
    places = [part * (len(ordered) - 1) // QUARTERS for part in range(QUARTERS + 1)]
    return Spread(
        total_n=str(sum(ordered)),
        losers=sum(value > 0 for value in ordered),
        quartiles_n=tuple(str(ordered[place]) for place in places) if enough else None,
        largest_loss_n=str(max(ordered[-1], 0)) if shown else None,
        groups_n=_merged(more, groups),
    )


def _merged(more: Mapping[int, int], groups: Mapping[int, str]) -> dict[str, str]:
    """Totals of groups [n¤ as text]; small ones together, and with a large one if they are still few."""
    members: dict[str, list[int]] = {}
    for index in more:
        members.setdefault(groups.get(index, "others"), []).append(index)
    small = [name for name, of in members.items() if len(of) < FEWEST]
    large = [name for name in members if name not in small]
    if small:
        together = [index for name in small for index in members.pop(name)]
        if len(together) < FEWEST and large:
            least = min(large, key=lambda name: len(members[name]))
            together += members.pop(least)
            small.append(least)
        members[" and ".join(sorted(small))] = together
    return {name: str(sum(more[index] for index in of)) for name, of in sorted(members.items())}


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a proposal binds: the change, the replay, its totals and spread, and the root of all lines.

    change: the block of changes as JSON. inputs: digests of readings, environment and community. totals_n: bills of all
    [n¤ as text] by name. root: of the salted lines, hexadecimal; depth: of their tree.
    """

    community: str
    currency: str
    change: dict[str, object]
    first_slot: str
    slot_minutes: int
    slots: int
    program: str
    forecaster: str
    inputs: dict[str, str]
    members: int
    totals_n: dict[str, str]
    held: Spread
    planned: Spread
    root: str
    depth: int
    note: str = NOT_A_FORECAST


class OwnLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member's line with its proof: for that member alone. Bills [n¤ as text]; salt and hashes hexadecimal."""

    member: str
    index: int
    today_n: str
    held_n: str
    planned_n: str
    salt: str
    root: str
    proof: tuple[tuple[str, str, str], ...]

    @property
    def line(self) -> ReplayedBills:
        """The figures."""
        return ReplayedBills(self.index, int(self.today_n), int(self.held_n), int(self.planned_n))


def salt_of(secret: bytes, index: int) -> bytes:
    """Salt of a member's line."""
    return hmac.new(secret, word(index), sha256).digest()


def tree_of(lines: Sequence[ReplayedBills], secret: bytes) -> Tree:
    """Tree over the lines of members 0, 1, 2, …."""
    return Tree([(line.hash(salt_of(secret, line.index)), line.sums) for line in lines], depth_for(len(lines)))


def own_line(lines: Sequence[ReplayedBills], secret: bytes, tree: Tree, member: str, index: int) -> OwnLine:
    """What a member gets."""
    line = lines[index]
    return OwnLine(
        member=member,
        index=index,
        today_n=str(line.today_n),
        held_n=str(line.held_n),
        planned_n=str(line.planned_n),
        salt=salt_of(secret, index).hex(),
        root=tree.root.hex(),
        proof=tuple((sibling.hex(), hex(sums), hex(own)) for sibling, sums, own in tree.proof(index)),
    )


def check_line(own: OwnLine, document: Document) -> None:
    """Raise InputError unless a line is one of those that a document binds, all add up to its totals, and it fits them.

    What is told of all is held against the line too: sums of the spread, and that no member lies outside of it.
    """
    try:
        line, salt = own.line, bytes.fromhex(own.salt)
        proof: list[Step] = [(bytes.fromhex(node), int(sums, 16), int(stated, 16)) for node, sums, stated in own.proof]
        root, totals, consistent = climb((line.hash(salt), line.sums), own.index, proof, SUMS)
    except (ValueError, OverflowError):
        raise InputError(f"the line of {own.member} holds what is no number; ask who made it for yours") from None
    if not consistent or root.hex() != document.root or len(proof) != document.depth:
        raise InputError(
            f"the line of {own.member} is none of those that the proposal binds; ask who made it for yours"
        )
    found = SUMS.unpack(totals)
    members = found.pop("members")
    sums_n = {name: value - members * BIAS for name, value in found.items()}
    if members != document.members or {name: str(value) for name, value in sums_n.items()} != document.totals_n:
        raise InputError("the lines do not add up to the totals of the proposal: what it says of all is wrong")
    for told, all_n, own_n in (
        (document.held, sums_n["held"], line.held_n),
        (document.planned, sums_n["planned"], line.planned_n),
    ):
        if not _fits(told, all_n - sums_n["today"], own_n - line.today_n):
            raise InputError("the spread of the proposal contradicts this line or the totals: what it says is wrong")


def _fits(told: Spread, all_n: int, own_n: int) -> bool:
    """Whether a spread can be that of differences that add up to `all_n`, with `own_n` among them [n¤]."""
    try:
        groups = sum(map(int, told.groups_n.values()))
        least, most = (told.quartiles_n[0], told.quartiles_n[-1]) if told.quartiles_n else (own_n, own_n)
        loss = own_n if told.largest_loss_n is None else int(told.largest_loss_n)
        inside = int(least) <= own_n <= min(int(most), loss)
        return int(told.total_n) == groups == all_n and inside and told.losers >= (own_n > 0)
    except (ValueError, IndexError):
        return False
