"""A slot of a statement: what a member's meter, money and certificates were, with the leaves that prove it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from transactive.core.credit_notes import Note
from transactive.core.units import PPM

Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]


Ppm = Annotated[int, Meta(ge=0, le=PPM)]


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


class StatementLeaf(StatementPart, frozen=True, kw_only=True, omit_defaults=True):
    """A leaf of a slot's tree: sums, this slot's part of them, two hashes and a salt, and the way to the root.

    marks: what it says of the slot (`core.proofs.leaves.LeafMark`).
    """

    sums: tuple[Four, Four]
    slot_sums: tuple[Four, Four]
    fills: Hash
    orders: Hash
    salt: Hash
    proof: tuple[Step, ...]
    marks: Annotated[int, Meta(ge=0, le=3)] = 0


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
