"""A member's statement: what it used, paid, received and emitted, slot by slot, with all that proves it.

One canonical JSON: keys sorted, no blank, whole numbers; money and words of 256 bits as text. The slots hold what the
chain committed; totals, scores and sources follow from them alone, so that everybody can compute them again.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

import msgspec
from msgspec import Meta

from transactive.core.certificates import CertificateState
from transactive.core.community.validation import explained
from transactive.core.credit_notes import Avoided, Need, Note, Retired
from transactive.core.errors import DataError
from transactive.core.postings import PostingKind
from transactive.core.units import PPM

KIND = "transactive/statement/1"
Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Ppm = Annotated[int, Meta(ge=0, le=PPM)]
Money = Annotated[str, Meta(pattern=r"^(0|-?[1-9][0-9]{0,18})$", description="a whole number in quotes")]
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="64 hexadecimal digits")]
Word = Annotated[str, Meta(pattern=r"^(0|[1-9a-f][0-9a-f]{0,63})$", description="64 hexadecimal digits at most")]
Four = tuple[Whole, Whole, Whole, Whole]
Posting = tuple[Whole, Whole, Whole, Whole, int, Whole]
"""Kind, payer, payee, Wh, price [µ¤/kWh], amount [n¤]."""
Bundle = tuple[Whole, Whole, Whole, Whole, Whole, Whole]
"""Device, first Wh, Wh, owner, state, market-based mg."""
Step = tuple[Hash, Word, Word, Word, Word]
"""Sibling's hash, its two words of sums, and the two that the tree states for the node itself."""


class StatementPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the parts of a statement."""


class StatementCommunity(StatementPart, frozen=True, kw_only=True):
    """Whose market it is."""

    name: str
    currency: str
    members: Whole
    slot_seconds: Whole
    slots_per_period: Whole


class StatementChain(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """Where it was committed, and who signed: the settlement's operator.

    successor: address of the settlement to which the accounts moved later, if they did.
    """

    chain_id: Whole
    settlement: str
    operator: str
    successor: str | None = None


class Holder(StatementPart, frozen=True, kw_only=True):
    """Whose statement it is."""

    id: str
    index: Whole


class Method(StatementPart, frozen=True, kw_only=True):
    """By which rules and factors it was made; factors in g/kWh. location: how imported energy got its carbon."""

    program: str
    accounting: str
    pv_g_per_kwh: Whole
    pv_source: str
    location: str
    grid_source: str
    residual_source: str
    levy_mode: str
    levy_price_micro_per_t: Whole
    levy_paid_micro_per_t: Whole


class StatementRules(StatementPart, frozen=True, kw_only=True):
    """A version of the rules that holds in slots of the statement: from when, and the hash of its canonical JSON.

    Prices [µ¤/kWh] are those of the member; one that is not the same number in all slots of the version is None.
    """

    version: Whole
    since: Whole
    digest: Hash
    supply: int | None
    feed_in: int | None
    network_fee: int | None
    levy_mode: str
    levy_price_micro_per_t: Whole
    levy_paid_micro_per_t: Whole


class Registers(StatementPart, frozen=True, kw_only=True):
    """The meter of a slot [Wh]."""

    import_wh: Whole
    export_wh: Whole
    generation_wh: Whole
    charge_wh: Whole
    discharge_wh: Whole

    @property
    def consumption_wh(self) -> int:
        """What the home itself used [Wh]."""
        return self.import_wh + self.generation_wh + self.discharge_wh - self.export_wh - self.charge_wh


class StatementLeaf(StatementPart, frozen=True, kw_only=True):
    """A leaf of a slot's tree: sums, this slot's part of them, two hashes and a salt, and the way to the root."""

    sums: tuple[Four, Four]
    slot_sums: tuple[Four, Four]
    fills: Hash
    orders: Hash
    salt: Hash
    proof: tuple[Step, ...]


class StatementMix(StatementPart, frozen=True, kw_only=True):
    """A mix of the grid in a slot: carbon of some energy."""

    carbon_mg: Whole
    energy_wh: Annotated[int, Meta(ge=1, le=2**63 - 1)]


Registered = tuple[Whole, Whole, Whole]
"""Import, export and generation [Wh]."""


class StatementCorrection(StatementPart, frozen=True, kw_only=True):
    """A corrected reading of an earlier slot, settled in this one: `core.proofs.corrections` says what it holds."""

    origin: Whole
    previous: Whole
    was: Registered
    now: Registered
    charge_wh: Whole
    discharge_wh: Whole
    supply: int
    feed_in: int
    first_wh: Whole
    issued_wh: Whole
    withdrawn_wh: Whole
    shortfall_wh: Whole
    repaid_wh: Whole
    metered: Annotated[int, Meta(ge=0, le=1)]
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{130}$", description="130 hexadecimal digits")]

    def row(self, member: int) -> list[int]:
        """The line in the order of its numbers."""
        certificates = self.first_wh, self.issued_wh, self.withdrawn_wh, self.shortfall_wh, self.repaid_wh
        moved, prices = (self.charge_wh, self.discharge_wh), (self.supply, self.feed_in)
        head = member, self.origin, self.previous
        return [*head, *self.was, *self.now, *moved, *prices, *certificates, self.metered]

    @property
    def money_n(self) -> int:
        """What the member receives for it, below 0 what it pays [n¤]."""
        taken, given = (self.now[place] - self.was[place] for place in (0, 1))
        return given * self.feed_in - taken * self.supply


class StatementSlot(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """One slot: meter, carbon, money, certificates, and the member's leaves in both trees.

    mix_mg_per_kwh: of energy imported at the member's node, rounded down, 0 without any. drawn_mg, stored_mg: what came
    out of its battery and what that then holds, location-based. grid_free_ppm: of the residual
    mix, what is carbon-free. corrections: of earlier slots, whose energy is in no figure of this one.
    """

    slot: Whole
    estimated: bool
    registers: Registers
    location_mg: Whole
    market_mg: Whole
    unmatched_mg: Whole
    levy_n: Whole
    mix_mg_per_kwh: Whole
    drawn_mg: Whole
    stored_mg: Whole
    grid: StatementMix
    residual: StatementMix
    grid_free_ppm: Ppm | None
    postings: tuple[Posting, ...]
    bundles: tuple[Bundle, ...]
    credits: tuple[Note, ...]
    settlement_leaf: StatementLeaf
    carbon_leaf: StatementLeaf
    corrections: tuple[StatementCorrection, ...] = ()


class Link(StatementPart, frozen=True, kw_only=True):
    """One commitment of a period: roots of both trees, and the two words of the settlement tree's totals."""

    slot: Whole
    root: Hash
    certificates: Hash
    money: Word
    energy: Word


class StatementPeriod(StatementPart, frozen=True, kw_only=True):
    """All commitments of a settlement period, oldest first: what leads to its head on chain."""

    number: Whole
    links: tuple[Link, ...]


class Source(StatementPart, frozen=True, kw_only=True):
    """Where consumed energy came from, and its market-based carbon."""

    source: str
    energy_wh: int
    carbon_mg: int


class StatementTotals(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """Sums of all slots. Money is text in n¤; scores in ppm, rounded down.

    contracted_wh: certificates claimed, and those of the member's devices that left unclaimed: the annual score counts
    both, the hourly one only claims. The score with the grid is None unless its carbon-free part is known in each slot.

    Carbon credits: offset_kg were retired for the member, offset_n is what it paid less what it received for credits,
    offset_for_all_kg were retired for everybody by a levy, avoided_kg issued for its asset, buffer included.
    uncovered_mg: what its policy wanted covered and nothing served, at the end.

    corrected_n: what corrections of earlier readings brought, below 0 cost; late_wh: certificates that they issued,
    gone_wh: those that they withdrew, or that had left the producer and are taken from later ones.
    """

    consumption_wh: int
    import_wh: int
    export_wh: int
    generation_wh: int
    paid_n: Money
    received_n: Money
    balance_n: Money
    levy_posted_n: Money
    levy_due_n: Money
    levy_returned_n: Money
    dividend_n: Money
    certificates_bought_wh: int
    certificates_sold_wh: int
    certificates_net_n: Money
    location_mg: int
    market_mg: int
    claimed_wh: int
    contracted_wh: int
    offset_kg: int
    offset_n: Money
    offset_for_all_kg: int
    uncovered_mg: int
    avoided_kg: int
    score_hourly_ppm: int
    score_annual_ppm: int
    score_with_grid_ppm: int | None
    estimated_ppm: int
    corrected_n: Money = "0"
    late_wh: int = 0
    gone_wh: int = 0


class Statement(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """The whole file. rules: versions of the rules, where they changed. signature: of the operator, over all else."""

    kind: str
    community: StatementCommunity
    chain: StatementChain
    member: Holder
    method: Method
    first_slot: Whole
    end: Whole
    totals: StatementTotals
    sources: tuple[Source, ...]
    slots: Annotated[tuple[StatementSlot, ...], Meta(min_length=1)]
    periods: Annotated[tuple[StatementPeriod, ...], Meta(min_length=1)]
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{130}$|^$", description="130 hexadecimal digits, or empty")]
    rules: tuple[StatementRules, ...] = ()

    def unsigned(self) -> bytes:
        """What the operator signs: the canonical JSON without a signature."""
        return encode(msgspec.structs.replace(self, signature=""))


def encode(statement: Statement) -> bytes:
    """Canonical JSON of a statement, with a line end."""
    return msgspec.json.encode(statement, order="sorted") + b"\n"


def decode(data: bytes, name: str) -> Statement:
    """Statement from the bytes of a file. Raises DataError naming file and field, or that it is not canonical."""
    try:
        statement = msgspec.json.decode(data, type=Statement)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{name}: is no statement: {explained(str(error), Statement)}") from None
    if statement.kind != KIND:
        raise DataError(f"{name}: kind is {statement.kind!r}, not {KIND!r}; use a program of that version")
    if encode(statement) != data:
        raise DataError(f"{name}: is not written canonically (keys sorted, no blanks); take the file as it was issued")
    return statement


def totals_of(member: int, slots: tuple[StatementSlot, ...]) -> StatementTotals:
    """Compute the totals from the slots."""
    postings = [posting for slot in slots for posting in slot.postings]
    paid = sum(p[5] for p in postings if p[1] == member)
    received = sum(p[5] for p in postings if p[2] == member)
    kinds = (PostingKind.DIVIDEND, PostingKind.LEVY, PostingKind.LEVY_RETURN)
    dividend, levy, returned = (str(sum(p[5] for p in postings if p[0] == kind)) for kind in kinds)
    apart = [p for p in postings if p[0] == PostingKind.CERTIFICATES]
    claimed = [claimed_wh(member, slot) for slot in slots]
    contracted = sum(claimed) + sum(left_wh(member, slot) for slot in slots)
    whole = sum(slot.registers.consumption_wh for slot in slots)
    needs = [note for slot in slots for note in slot.credits if isinstance(note, Need) and note.account == member]
    credited = [offset_and_avoided(member, slot) for slot in slots]
    retired = [note for slot in slots for note in slot.credits if isinstance(note, Retired)]
    corrected = [line for slot in slots for line in slot.corrections]
    return StatementTotals(
        consumption_wh=whole,
        import_wh=sum(slot.registers.import_wh for slot in slots),
        export_wh=sum(slot.registers.export_wh for slot in slots),
        generation_wh=sum(slot.registers.generation_wh for slot in slots),
        paid_n=str(paid),
        received_n=str(received),
        balance_n=str(received - paid),
        levy_posted_n=levy,
        levy_due_n=str(sum(slot.levy_n for slot in slots)),
        levy_returned_n=returned,
        dividend_n=dividend,
        certificates_bought_wh=sum(p[3] for p in apart if p[1] == member),
        certificates_sold_wh=sum(p[3] for p in apart if p[2] == member),
        certificates_net_n=str(sum(p[5] * ((p[2] == member) - (p[1] == member)) for p in apart)),
        location_mg=sum(slot.location_mg for slot in slots),
        market_mg=sum(slot.market_mg for slot in slots),
        claimed_wh=sum(claimed),
        contracted_wh=contracted,
        score_hourly_ppm=_part(sum(claimed), whole),
        score_annual_ppm=_part(min(contracted, whole), whole),
        score_with_grid_ppm=_with_grid(slots, claimed, whole),
        offset_kg=sum(kg for kg, _, _ in credited),
        offset_n=str(sum(paid_n for _, paid_n, _ in credited)),
        offset_for_all_kg=sum(note.kg for note in retired if note.account != member),
        uncovered_mg=max(-needs[-1].ahead_mg, 0) if needs else 0,
        avoided_kg=sum(issued for _, _, issued in credited),
        estimated_ppm=_part(sum(slot.estimated for slot in slots), len(slots)),
        corrected_n=str(sum(line.money_n for line in corrected)),
        late_wh=sum(line.issued_wh for line in corrected),
        gone_wh=sum(line.withdrawn_wh + line.shortfall_wh for line in corrected),
    )


def offset_and_avoided(member: int, slot: StatementSlot) -> tuple[int, int, int]:
    """Credits in a slot: kg retired for a member, what it paid less what it received [n¤], kg issued for its asset."""
    retired = sum(note.kg for note in slot.credits if isinstance(note, Retired) and note.account == member)
    offsets = [p for p in slot.postings if p[0] == PostingKind.OFFSET]
    paid = sum(p[5] * ((p[1] == member) - (p[2] == member)) for p in offsets)
    return retired, paid, sum(note.issued_kg for note in slot.credits if isinstance(note, Avoided))


def claimed_wh(member: int, slot: StatementSlot) -> int:
    """Certificates that a member claimed in a slot [Wh]."""
    return sum(b[2] for b in slot.bundles if b[3] == member and b[4] == CertificateState.CLAIMED)


def left_wh(member: int, slot: StatementSlot) -> int:
    """Certificates of a member's devices that left the community unclaimed in a slot [Wh]."""
    return sum(b[2] for b in slot.bundles if b[0] // 2 == member and b[4] == CertificateState.HELD)


def _with_grid(slots: tuple[StatementSlot, ...], claimed: list[int], whole: int) -> int | None:
    """Score with the grid's carbon-free part [ppm], None where a slot does not know it."""
    free = 0
    for slot, wh in zip(slots, claimed, strict=True):
        if slot.grid_free_ppm is None:
            return None
        free += (slot.registers.consumption_wh - wh) * slot.grid_free_ppm
    return _part(sum(claimed) * PPM + free, whole * PPM)


def sources_of(member: int, slots: tuple[StatementSlot, ...]) -> tuple[Source, ...]:
    """Where the consumed energy came from: generation and storage, own or not, by claims, the rest without any."""
    names = ("own generation", "own storage", "neighbours' generation", "neighbours' storage")
    wh, mg = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for slot in slots:
        for device, _, energy, owner, state, carbon in slot.bundles:
            if owner == member and state == CertificateState.CLAIMED:
                name = names[2 * (device // 2 != member) + device % 2]
                wh[name] += energy
                mg[name] += carbon
    rest_wh = sum(slot.registers.consumption_wh for slot in slots) - sum(wh.values())
    rest_mg = sum(slot.market_mg for slot in slots) - sum(mg.values())
    rows = [*((name, wh[name], mg[name]) for name in names), ("without certificate", rest_wh, rest_mg)]
    return tuple(Source(source=name, energy_wh=energy, carbon_mg=carbon) for name, energy, carbon in rows)


def _part(part: int, whole: int) -> int:
    """Part of a whole [ppm], rounded down; 0 of nothing."""
    return int(Fraction(part * PPM, whole)) if whole else 0
