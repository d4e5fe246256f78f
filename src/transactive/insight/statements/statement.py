"""A member's statement: what it used, paid, received and emitted, slot by slot, with all that proves it.

One canonical JSON: keys sorted, no blank, whole numbers; money and words of 256 bits as text. The slots hold what the
chain committed; totals, scores and sources follow from them alone, so that everybody can compute them again.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from transactive.core.community.validation import explained
from transactive.core.errors import DataError
from transactive.insight.statements.statement_slot import Hash, StatementLeaf, StatementPart, StatementSlot, Whole, Word

KIND = "transactive/statement/1"
Money = Annotated[str, Meta(pattern=r"^(0|-?[1-9][0-9]{0,18})$", description="a whole number in quotes")]


class StatementCommunity(StatementPart, frozen=True, kw_only=True):
    """Whose market it is."""

    name: str
    currency: str
    members: Whole
    slot_seconds: Whole
    slots_per_period: Whole


class StatementChain(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """Where it was committed, and who signed: the settlement's operator.

    successor: address of the settlement to which the accounts moved later, if they did. whole: address of the one of
    all groups, where the settlement is that of a group.
    """

    chain_id: Whole
    settlement: str
    operator: str
    successor: str | None = None
    whole: str | None = None


class Holder(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """Whose statement it is. place: in the settlement of its group, where that is another number than its index."""

    id: str
    index: Whole
    place: Whole | None = None

    @property
    def place_on_chain(self) -> int:
        """Its place in its settlement."""
        return self.index if self.place is None else self.place


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


class Link(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """One commitment of a period: roots of both trees, and the two words of the settlement tree's totals.

    substituted: what members took and gave [Wh] in the period so far in slots that nobody metered.
    """

    slot: Whole
    root: Hash
    certificates: Hash
    money: Word
    energy: Word
    substituted: tuple[Whole, Whole] = (0, 0)


class StatementWhole(StatementPart, frozen=True, kw_only=True):
    """What the whole committed of a group in a period, and what of the group it stands on.

    links: the whole's commitments, oldest first. group_leaf, group_place: the group's leaf in the last of them.
    link_leaf, link_place: that of all others in the group's last commitment.
    """

    links: tuple[Link, ...]
    group_place: Whole
    group_leaf: StatementLeaf
    link_place: Whole
    link_leaf: StatementLeaf


class StatementPeriod(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """All commitments of a settlement period, oldest first: what leads to its head on chain.

    whole: of a group, once the whole has committed the period.
    """

    number: Whole
    links: tuple[Link, ...]
    whole: StatementWhole | None = None


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
    """The whole file. rules: versions of the rules, where they changed. signature: of the operator, over all else.

    unasked: spans [Unix s] in which the chain on which members decide did not answer, so that recorded rules went on.
    """

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
    unasked: tuple[tuple[Whole, Whole], ...] = ()

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
