"""What is promised and what meters read: operator, meters and whoever settles do it for many at once, or each alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from tests.contract.market_world import METER_OWNERS, SLOT, WINDOW
from tests.fuzz.adversary.slots import key_of
from transactive.core.proofs import signing
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signed_orders import split

if TYPE_CHECKING:
    from tests.fuzz.adversary.markets.stage import MarketStage

REACTION = WINDOW // 8
READING_TYPE = b"Reading(uint256 meter,uint256 slot,uint256 exported,uint256 imported)"


@dataclass(slots=True)
class Promise:
    """Energy that an honest member owes in a slot, or takes, and the money for it."""

    slot: int
    member: int
    energy: int
    money: int
    consuming: bool
    number: int = 0
    buyer: int = 0
    is_over: bool = False


class Deliveries:
    """The end of a slot: readings, answers, settlement."""

    def __init__(self, stage: MarketStage) -> None:
        self.w = stage
        self.promises: list[Promise] = []
        self.stated: set[tuple[int, int]] = set()
        self.meters_are_true = True

    def waiting(self, slot: int) -> list[Promise]:
        """What is promised for a slot and not settled."""
        return [one for one in self.promises if one.slot == slot and not one.is_over]

    def slot_is_over(self, slot: int) -> None:
        """Meters speak, the operator states all of them; then everything is settled at once, or some of it before."""
        w, rng, now = self.w, self.w.rng, self.w.now
        kept = self.waiting(slot)
        if not kept:
            return
        for meter in self.metered(slot):
            if rng.random() < 0.3:
                w.due(now + 1 + rng.randrange(REACTION), partial(self.bring, slot, meter))
        w.due(now + 1 + rng.randrange(REACTION), lambda: self.state(slot))
        w.due(now + WINDOW // 2 + rng.randrange(REACTION), lambda: self.answer(slot))
        w.due(now + WINDOW + rng.randrange(SLOT), lambda: self.settle(kept))
        for promise in kept:
            if rng.random() < 0.3:
                w.due(now + WINDOW + rng.randrange(SLOT), partial(self.settle, [promise]))

    def settle(self, kept: list[Promise]) -> None:
        """Settle promises at once, whether or not somebody has settled some of them before."""
        for group in self.w.settled_together(kept):
            if self.meters_are_true and not all(promise.is_over for promise in group):
                self.w.settle(group)

    # -- readings

    def metered(self, slot: int) -> list[int]:
        """Meters of honest members with promises in a slot."""
        owners = {one.member for one in self.waiting(slot)}
        return [meter for meter, owner in enumerate(METER_OWNERS) if owner in owners]

    def truth(self, meter: int, slot: int) -> tuple[int, int]:
        """What a meter of an honest member reads [Wh exported, imported]: what was promised; of two, the first one."""
        owner = METER_OWNERS[meter]
        if METER_OWNERS.index(owner) != meter:
            return 0, 0
        mine = [one for one in self.promises if (one.slot, one.member) == (slot, owner)]
        given, taken = (sum(one.energy for one in mine if one.consuming is side) for side in (False, True))
        return given, taken

    def state(self, slot: int) -> None:
        """An honest operator states all that was metered in one batch, whoever was faster."""
        w = self.w
        in_office = str(w.registry.read("operator")).lower() == w.operator.address
        if w.honest("operator") and in_office and self.meters_are_true:
            rows = [(meter, *self.truth(meter, slot)) for meter in self.metered(slot)]
            w.must(w.operator, w.c, "certifyBatch", slot, rows, rule="one reading does not keep the others out")

    def bring(self, slot: int, meter: int) -> None:
        """A member has its meter's own word at once."""
        owner = self.w.members[METER_OWNERS[meter]]
        self.w.call(owner, self.w.c, "certify", *self.signed(slot, meter, *self.truth(meter, slot)))

    def answer(self, slot: int) -> None:
        """Whatever is stated wrong of an honest member's meter, or not at all, its own signature puts right."""
        if not self.meters_are_true:
            return
        w = self.w
        for meter in self.metered(slot):
            true = self.truth(meter, slot)
            *stated, source = w.c.read("getReading", slot, meter)
            if source == 2 or (source == 1 and tuple(stated) == true):
                continue
            owner = w.members[METER_OWNERS[meter]]
            rule = "a meter's own word replaces a statement"
            w.must(owner, w.c, "certify", *self.signed(slot, meter, *true), rule=rule)

    def signed(self, slot: int, meter: int, exported: int, imported: int) -> tuple[Any, ...]:
        """Arguments of `certify`."""
        w = self.w
        numbers = b"".join(word(n) for n in (meter, slot, exported, imported))
        digest = signing.digest(w.separator, keccak(keccak(READING_TYPE) + numbers))
        return (slot, meter, exported, imported, *split(signing.sign(digest, key_of(w.meters[meter]))))

    def were_stated(self, slot: int, rows: list[tuple[int, int, int]]) -> None:
        """What the operator states, while its meter can answer; a reading that was known states nothing."""
        w, ends = self.w, slot + SLOT + WINDOW
        rule = "a meter has time to answer what is stated of it"
        new = {(slot, meter) for meter, *_ in rows if w.c.read("getReading", slot, meter)[2] == 1} - self.stated
        for _ in new:
            w.hold(w.now + WINDOW // 4 <= ends, f"{rule}: {ends - w.now} s before the window ends")
        self.stated |= new
        w.due(w.now + 1 + w.rng.randrange(REACTION), lambda: self.answer(slot))
