"""What the contract of certificates must do, in plain Python.

Holders are addresses, members are indices, a token's id is packed as in the contract. That proofs lead to a committed
root is the contract's other check: the twin is told what was shown. Energy in Wh, times (`now`) in Unix seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.twins.multitoken import MultitokenTwin
from transactive.chain.twins.certificate_disputes import Bundle, tally
from transactive.chain.twins.refusals import refusals
from transactive.core.certificates import CARBON, ENERGY, CertificateState
from transactive.core.errors import ContractRevert
from transactive.core.proofs.leaves import Leaf
from transactive.core.proofs.merkle import REGISTERS

MOST_WH = 2**52 - 1
FIELD = 2**64 - 1
MAX_METERS = 128
NOBODY = "0x" + "00" * 20

refuse_unless = refusals("certificates")


@dataclass(slots=True)
class MemberSlotTwin:
    """A member's slot [Wh]."""

    consumed: int
    claimed: int
    produced: int
    certified: int
    zone: int
    credited: bool = False

    @property
    def word(self) -> int:
        """As the contract has it."""
        energy = (self.consumed, self.claimed, self.produced, self.certified)
        marks = 1 << 216 | self.credited << 217
        return sum(wh << 52 * k for k, wh in enumerate(energy)) | self.zone << 208 | marks


@dataclass(frozen=True, slots=True)
class Shown:
    """A leaf as it was shown. left: Wh that nobody in the slot claimed; is_sound: whether all of it can be right."""

    slot: int
    leaf: Leaf
    bundles: Sequence[Bundle]
    left: int
    is_sound: bool = True


def token_id(zone: int, slot: int, device: int) -> int:
    """Id of the certificates of a device and slot."""
    return zone << 192 | slot << 64 | device


@dataclass(slots=True)
class CertificatesTwin:
    """Certificates of a settlement's members from slot `since` on; `own` are the addresses that can hold nothing."""

    owner: str
    gateway: str
    is_direct: bool
    slot_seconds: int
    slots_per_period: int
    validity: int
    accounts: list[str]
    own: tuple[str, ...] = ()
    since: int = 0
    enrolled: list[str] = field(default_factory=list)
    credits: str = ""
    books: dict[tuple[int, int], MemberSlotTwin] = field(default_factory=dict)
    waiting: defaultdict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    released: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    revoked: set[tuple[int, int]] = field(default_factory=set)
    zones: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    reachable: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    tokens: MultitokenTwin = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = MultitokenTwin(self.own)

    # -- what comes in --------------------------------------------------------------------------

    def release(self, shown: Shown, settled_period: int, *, counts: bool) -> int:
        """Let a leaf leave. counts: whether the settlement confirms the commitment."""
        refuse_unless(not self.is_direct, "issued directly")
        refuse_unless(shown.slot >= self.since, "issued before")
        refuse_unless(counts and shown.slot // self.slots_per_period <= settled_period, "not final")
        member, found = shown.leaf.index, tally(shown.leaf.index, shown.bundles)
        refuse_unless(shown.is_sound and found.fits(shown.leaf), "leaf contradicts itself")
        refuse_unless((shown.slot, member) not in self.books, "already out")
        refuse_unless(self.released[shown.slot] + found.held_wh <= shown.left, "more than the slot has")
        energy, carbon = ENERGY.unpack(shown.leaf.money), CARBON.unpack(shown.leaf.energy)
        consumed, metered = energy["consumed_wh"], energy["metered_wh"]
        refuse_unless(max(consumed, metered) <= MOST_WH, "too much energy")
        leaving = [b for b in shown.bundles if b[0] // 2 == member and b[4] == CertificateState.HELD]
        for device, _first, wh, owner, *_ in leaving:
            self._give(owner, token_id(self.zones[member], shown.slot, device), wh)
        self.released[shown.slot] += found.held_wh
        received = carbon["received_wh"]
        self.books[shown.slot, member] = MemberSlotTwin(
            consumed, received, metered, found.issued_wh, self.zones[member]
        )
        return found.held_wh

    def issue(
        self, slot: int, registers: Sequence[int], accounts: Sequence[str], spared: int, signer: str, now: int
    ) -> int:
        """Issue the certificates of a slot from its signed readings.

        signer: who signed readings and spared members for this contract.
        """
        refuse_unless(self.is_direct, "issued by root")
        refuse_unless(slot >= self.since, "issued before")
        refuse_unless(now >= (slot + 1) * self.slot_seconds, "slot not over")
        known = 0 < len(registers) <= len(accounts) and bool(self.enrolled) and list(accounts) == self.enrolled
        refuse_unless(known, "not enrolled")
        refuse_unless(signer == self.gateway, "not the gateway")
        books: dict[tuple[int, int], MemberSlotTwin] = {}
        for member, sums in enumerate(registers):
            if not sums:
                continue
            refuse_unless((slot, member) not in self.books, "already out")
            read = REGISTERS.unpack(sums)
            produced = read["generation_wh"] + read["discharge_wh"]
            consumed = read["import_wh"] + produced - read["export_wh"] - read["charge_wh"]
            fits = consumed >= 0 and read["import_wh"] + produced <= MOST_WH
            refuse_unless(fits, "bad reading")
            certified = 0 if spared >> member & 1 else read["generation_wh"]
            books[slot, member] = MemberSlotTwin(consumed, 0, produced, certified, self.zones[member])
        self.books |= books
        for (_, member), book in books.items():
            if book.certified:
                self._give(member, token_id(book.zone, slot, 2 * member), book.certified)
        return sum(book.certified for book in books.values())

    def collect(self, token: int, owner: int, now: int) -> int:
        """Give an account what waited until it was registered."""
        self._check(token, now)
        amount = self.waiting.get((token, owner), 0)
        refuse_unless(amount > 0, "nothing waits")
        self.tokens.check_receiver(self.account(owner))
        del self.waiting[token, owner]
        self.tokens.mint(self.account(owner), token, amount)
        return amount

    def enrol(self) -> None:
        """Note the settlement's accounts."""
        self.enrolled = self.accounts[:MAX_METERS]

    # -- what holders do ------------------------------------------------------------------------

    def transfer(self, caller: str, receiver: str, token: int, amount: int, now: int) -> None:
        """Send certificates."""
        self._check(token, now)
        self.tokens.transfer(caller, receiver, token, amount)

    def transfer_from(self, caller: str, sender: str, receiver: str, token: int, amount: int, now: int) -> None:
        """Send certificates of somebody else."""
        self._check(token, now)
        self.tokens.transfer_from(caller, sender, receiver, token, amount)

    def claim(
        self, caller: str, member: int, beneficiary: bytes, ids: Sequence[int], amounts: Sequence[int], now: int
    ) -> None:
        """Use certificates up against a member's consumption; all or none."""
        account = self.account(member)
        refuse_unless(caller == account or (account, caller) in self.tokens.operators, "not the member")
        refuse_unless(any(beneficiary), "no beneficiary")
        refuse_unless(len(ids) == len(amounts), "one amount for each")
        claimed: defaultdict[int, int] = defaultdict(int)
        burned: defaultdict[int, int] = defaultdict(int)
        for token, amount in zip(ids, amounts, strict=True):
            self._check(token, now)
            zone, slot = token >> 192, token >> 64 & FIELD
            book = self.books.get((slot, member))
            refuse_unless(book is not None, "no reading")
            refuse_unless((slot, member) not in self.revoked, "reading revoked")
            assert book
            reached = zone == book.zone or self.reachable[zone] >> book.zone & 1
            refuse_unless(bool(reached), "out of reach")
            room = book.consumed - book.claimed - claimed[slot]
            refuse_unless(0 < amount <= room, "beyond consumption")
            self.tokens.check_balance(caller, token, burned[token] + amount)
            claimed[slot] += amount
            burned[token] += amount
        for token, amount in burned.items():
            self.tokens.burn(caller, token, amount)
        for slot, amount in claimed.items():
            self.books[slot, member].claimed += amount

    def withdraw(self, caller: str, token: int, amount: int, now: int) -> None:
        """Take certificates out for ever."""
        self._check(token, now)
        refuse_unless(amount > 0, "bad amount")
        self.tokens.burn(caller, token, amount)

    # -- who may --------------------------------------------------------------------------------

    def credit(self, caller: str, slot: int, member: int) -> int:
        """Turn a member's slot into avoided emissions."""
        refuse_unless(caller == self.credits, "not the credits")
        book = self.books.get((slot, member))
        refuse_unless(book is not None, "no reading")
        refuse_unless((slot, member) not in self.revoked, "reading revoked")
        assert book
        refuse_unless(book.certified == 0, "has certificates")
        refuse_unless(not book.credited, "already credited")
        book.credited = True
        return book.produced

    @contextmanager
    def undone_if_refused(self) -> Iterator[None]:
        """Several credits that go through together or not at all."""
        before = {place for place, book in self.books.items() if book.credited}
        try:
            yield
        except ContractRevert:
            for place, book in self.books.items():
                book.credited = place in before
            raise

    def revoke(self, caller: str, slot: int, member: int) -> None:
        """Stop what was issued of a wrong reading."""
        refuse_unless(self.is_direct, "issued by root")
        refuse_unless(caller == self.gateway, "not the gateway")
        refuse_unless((slot, member) in self.books, "no reading")
        self.revoked.add((slot, member))

    def set_credits(self, caller: str, account: str, nobody: str) -> None:
        """Name the contract of credits, once."""
        refuse_unless(caller == self.owner, "not the owner")
        refuse_unless(not self.credits and account != nobody, "credits are fixed")
        self.credits = account

    def set_zones(self, caller: str, number: int, zones: int) -> None:
        """Set the zones of 32 members."""
        refuse_unless(caller == self.owner, "not the owner")
        for k in range(32):
            self.zones[32 * number + k] = zones >> 8 * k & 255

    def set_reach(self, caller: str, zone: int, zones: int) -> None:
        """Set which zones a zone's energy reaches beside itself."""
        refuse_unless(caller == self.owner, "not the owner")
        self.reachable[zone] = zones

    # -- what can be read -----------------------------------------------------------------------

    def is_live(self, token: int, now: int) -> bool:
        """Whether certificates of this id can still move."""
        slot, device = token >> 64 & FIELD, token & FIELD
        return now < (slot + 1) * self.slot_seconds + self.validity and (slot, device // 2) not in self.revoked

    def account(self, index: int) -> str:
        """Account of an index, or nobody's."""
        return self.accounts[index] if index < len(self.accounts) else NOBODY

    def _give(self, owner: int, token: int, wh: int) -> None:
        """New tokens, which wait for an account that nobody has, or that can hold nothing."""
        account = self.account(owner)
        if account in (*self.own, NOBODY):
            self.waiting[token, owner] += wh
        else:
            self.tokens.mint(account, token, wh)

    def _check(self, token: int, now: int) -> None:
        """Refuse what has come to an end."""
        refuse_unless(self.is_live(token, now), "expired or revoked")
