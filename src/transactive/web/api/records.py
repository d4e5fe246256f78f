"""What the API answers with. Energy in Wh, prices in µ¤/kWh, carbon in mg are whole numbers; money in n¤ is text.

Money is text because a sum of n¤ soon leaves the 53 bits that many readers of JSON keep. Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Time = Annotated[str, Meta(description="RFC 3339, UTC", examples=["2017-06-05T00:00:00Z"])]
Wh = Annotated[int, Meta(description="Energy [Wh]")]
Price = Annotated[int, Meta(description="Price [µ¤/kWh], the same number as n¤/Wh")]
Money = Annotated[str, Meta(description="Money [n¤], a billionth of the currency, as text", pattern=r"^-?\d+$")]
Milligrams = Annotated[int, Meta(description="Carbon [mg CO2e]")]
Next = Annotated[str | None, Meta(description="Cursor of the next page; null on the last one")]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers."""


class SlotView(View, frozen=True, kw_only=True):
    """A slot: how far it is, what was traded, and what all meters of the community together say once it is over."""

    slot: Time
    state: Literal["cleared", "delivered", "committed"]
    orders: int
    refused: int
    price: Annotated[Price | None, Meta(description="Null without a trade")]
    traded_wh: Wh
    meters: Annotated[int | None, Meta(description="Members whose meter was read")]
    consumption_wh: Wh | None
    generation_wh: Wh | None
    charge_wh: Wh | None
    discharge_wh: Wh | None
    import_wh: Wh | None
    export_wh: Wh | None


class ClearingView(View, frozen=True, kw_only=True):
    """The market's result for a slot, with the prices around it."""

    slot: Time
    price: Annotated[Price | None, Meta(description="Null without a trade")]
    traded_wh: Wh
    floor: Price
    cap: Price
    tick: Price
    supply_price: Price
    feed_in: Price
    fee: Price
    grid_g_per_kwh: int


class OrderView(View, frozen=True, kw_only=True):
    """An admitted order and what it was given."""

    slot: Time
    row: int
    member: str
    side: Literal["buy", "sell"]
    price: Price
    energy_wh: Wh
    allocated_wh: Wh
    state: Literal["filled", "partly", "not filled"]
    money_n: Annotated[Money, Meta(description="Received − paid [n¤], as text; against allocated_wh its own price")]
    lock_n: Money


class RefusalView(View, frozen=True, kw_only=True):
    """An order that its member's free balance could not lock."""

    slot: Time
    row: int
    member: str
    side: Literal["buy", "sell"]
    price: Price
    energy_wh: Wh
    missing_n: Money


class MemberView(View, frozen=True, kw_only=True):
    """A member over the slots so far. saved_n = without_market_n − with_market_n, before any battery credit."""

    id: str
    pv_w: int
    battery_wh: Wh
    charged_wh: Annotated[int, Meta(description="Charged energy in the battery [Wh]")]
    bought_wh: Wh
    sold_wh: Wh
    import_wh: Wh
    export_wh: Wh
    generation_wh: Wh
    consumption_wh: Wh
    without_market_n: Money
    with_market_n: Money
    saved_n: Money
    advanced_n: Money
    refused: int
    location_mg: Milligrams
    market_mg: Milligrams


class InsightView(View, frozen=True, kw_only=True):
    """Something that a member's meter says, with where it comes from."""

    kind: Literal["bill", "change", "always_on", "temperature", "car"]
    title: str
    text: str
    source: str
    figures: Annotated[dict[str, int | str], Meta(description="By name with its unit; money [n¤] as text")]


class Insights(View, frozen=True, kw_only=True):
    """What one member was told at the end of its newest whole day."""

    member: str
    time: Time
    findings: list[InsightView]


class Posting(View, frozen=True, kw_only=True):
    """Money that moved: amount_n = energy_wh x |price|, or credits_kg x price_per_t, wherever a price applies."""

    slot: Time
    row: int
    kind: str
    payer: str
    payee: str
    energy_wh: Wh
    price: Price
    credits_kg: Annotated[int, Meta(ge=0, description="Carbon credits [kg CO2e]; such a posting has no energy")]
    price_per_t: Annotated[int, Meta(description="Price of carbon credits [µ¤/t], the same number as n¤/kg")]
    amount_n: Money


class Certificate(View, frozen=True, kw_only=True):
    """A bundle of certified energy. Neighbours are null to a member's token."""

    slot: Time
    member: str | None
    device: Literal["pv", "battery"]
    first_wh: Wh
    energy_wh: Wh
    owner: str | None
    state: Literal["held", "stored", "claimed"]
    market_mg: Milligrams


class BlockView(View, frozen=True, kw_only=True):
    """The block that committed a slot. checked: every balance of the ledger was then compared with the chain."""

    slot: Time
    number: int
    time: Time
    hash: str
    commit_gas: int
    netting_gas: int
    checked: bool


class SummaryView(View, frozen=True, kw_only=True):
    """The community over the slots so far, before any battery credit."""

    community: str
    currency: str
    mechanism: str
    members: int
    slot_minutes: int
    first_slot: Time
    slots: int
    delivered_slots: int
    finished: bool
    orders: int
    refused: int
    traded_wh: Wh
    local_wh: Annotated[int, Meta(description="Energy that came from a neighbour [Wh]")]
    grid_import_wh: Wh
    grid_export_wh: Wh
    consumption_wh: Wh
    saved_n: Money
    members_worse_off: int
    energy_residual_wh: Wh
    money_residual_n: Money
    location_mg: Milligrams
    market_mg: Milligrams
    blocks: int
    gas: int
    last_block: int | None
    ledger_equals_chain_at_block: Annotated[int | None, Meta(description="Null while nothing was compared yet")]


class StreamEvent(View, frozen=True, kw_only=True):
    """An event of the stream, with its fields as a reader sees them."""

    event: Literal["cleared", "delivered", "committed", "end"]
    data: Annotated[str, Meta(description="JSON with slot, stage, number and slots; words at the end")]
    id: Annotated[str | None, Meta(description="Where to resume; none at the end")] = None


class SlotPage(View, frozen=True, kw_only=True):
    """Slots in order of time."""

    items: list[SlotView]
    next: Next


class ClearingPage(View, frozen=True, kw_only=True):
    """Clearings in order of time."""

    items: list[ClearingView]
    next: Next


class OrderPage(View, frozen=True, kw_only=True):
    """Orders by slot and place in the book."""

    items: list[OrderView]
    next: Next


class RefusalPage(View, frozen=True, kw_only=True):
    """Refused orders by slot."""

    items: list[RefusalView]
    next: Next


class MemberPage(View, frozen=True, kw_only=True):
    """Members in the community's order."""

    items: list[MemberView]
    next: Next


class InsightsPage(View, frozen=True, kw_only=True):
    """Insights of members in the community's order."""

    items: list[Insights]
    next: Next


class PostingPage(View, frozen=True, kw_only=True):
    """Postings by slot, in the order in which they were made."""

    items: list[Posting]
    next: Next


class CertificatePage(View, frozen=True, kw_only=True):
    """Bundles by slot and device."""

    items: list[Certificate]
    next: Next


class BlockPage(View, frozen=True, kw_only=True):
    """Blocks in order of time."""

    items: list[BlockView]
    next: Next
