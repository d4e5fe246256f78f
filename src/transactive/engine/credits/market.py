"""Carbon credits and the listings that sell them: the register of `carbon` with the board of `market`.

Every step is taken whole or refused with a CreditError, and goes into the log; the same steps make the same market
again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from transactive.carbon.credits import steps as did
from transactive.carbon.credits.offsets import Offer
from transactive.carbon.credits.register import LISTING, CreditRegister, RetirementReceipt, check_words
from transactive.carbon.credits.steps import AnyStep
from transactive.core.errors import CreditError
from transactive.market.orderbook.listings import Board, ListingRefusal

Result = TypeVar("Result")

REFUSED = {
    ListingRefusal.UNKNOWN: ("unknown-listing", "is not known; list what is for sale"),
    ListingRefusal.OWN: ("own-listing", "is its own; take it back instead"),
    ListingRefusal.AMOUNT: ("listing-amount", "has less left; take no more than that"),
    ListingRefusal.EMPTY: ("listing-empty", "has nothing left"),
    ListingRefusal.NOT_YOURS: ("not-seller", "is somebody else's; only its seller takes it back"),
}


@dataclass(slots=True)
class CreditMarket:
    """Register, board, and the facts of each listing by its number; board quantities are kg, prices µ¤/t."""

    register: CreditRegister = field(default_factory=CreditRegister)
    log: list[AnyStep] = field(default_factory=list)
    _board: Board = field(default_factory=Board)
    _listed: list[tuple[int, str]] = field(default_factory=list)
    _traders: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, steps: Iterable[AnyStep]) -> CreditMarket:
        """Market after steps. Raises CreditError for one that cannot be taken."""
        market = cls()
        for step in steps:
            market.do(step)
        return market

    def do(self, step: AnyStep) -> RetirementReceipt | None:
        """Take a step; returns the receipt of a retirement. Raises CreditError, and then nothing has changed."""
        receipt = self._take(step)
        self._traders.setdefault(step.by, self._trader(step.by))
        self.log.append(step)
        return receipt

    def offers(self, buyer: str) -> dict[int, Offer]:
        """What a buyer can take, by number of the listing: not its own, and with something left."""
        return {
            number: self.offer(number)
            for number, listing in enumerate(self._board.listings)
            if listing.left_wh and self._listed[number][1] != buyer
        }

    def offer(self, number: int) -> Offer:
        """What is left of a listing. Raises CreditError if there is none of that number."""
        if not 0 <= number < len(self._listed):
            raise _refused(ListingRefusal.UNKNOWN, number)
        listing, (batch, seller) = self._board.listings[number], self._listed[number]
        return Offer(batch=batch, seller=seller, kg=listing.left_wh, price_micro_per_t=listing.price)

    def retirements(self) -> list[tuple[RetirementReceipt, did.Retire | did.Offset]]:
        """Every receipt with the step that it is for."""
        steps = [step for step in self.log if isinstance(step, did.Retire | did.Offset)]
        return list(zip(self.register.receipts, steps, strict=True))

    @property
    def listings(self) -> int:
        """How many listings there have been."""
        return len(self._listed)

    def _take(self, step: AnyStep) -> RetirementReceipt | None:
        """Change register and board by a step."""
        match step:
            case did.RegisterProject():
                self.register.register(step.project)
            case did.Approve():
                self.register.approve(step.by, step.project)
            case did.IssueBatch():
                self.register.issue(step.by, step.project, step.vintage, step.serial, step.kg, step.owner)
            case did.Sell():
                self.register.hold(step.batch, step.by, len(self._listed), step.kg)
                self._board.put(self._trader(step.by), step.price_micro_per_t, step.kg, step.at, is_sale=True)
                self._listed.append((step.batch, step.by))
            case did.TakeBack():
                left = _done(self._board.cancel(self._trader(step.by), step.listing), step.listing)
                self.register.transfer(self._listed[step.listing][0], f"{LISTING}{step.listing}", step.by, left)
            case did.Buy():
                self._buy(step)
            case did.Retire():
                return self.register.retire(step.batch, step.by, step.kg, **_words(step))
            case did.Offset():
                check_words(**_words(step))
                batch = self._buy(step)
                return self.register.retire(batch, step.by, step.kg, **_words(step))
            case did.Reverse():
                self.register.reverse(step.by, step.batch, step.kg)
        return None

    def _buy(self, step: did.Buy | did.Offset) -> int:
        """Move credits from a listing to its buyer; returns their batch."""
        self.register.check_account(step.by)
        deal = _done(self._board.take(self._trader(step.by), step.listing, step.kg, step.at), step.listing)
        batch = self._listed[deal.listing][0]
        self.register.transfer(batch, f"{LISTING}{deal.listing}", step.by, deal.energy_wh)
        return batch

    def _trader(self, name: str) -> int:
        """Number of a trader on the board."""
        return self._traders.get(name, len(self._traders))


def _done(result: Result | ListingRefusal, listing: int) -> Result:
    """Result of a step on the board, unless it was refused."""
    if isinstance(result, ListingRefusal):
        raise _refused(result, listing)
    return result


def _refused(reason: ListingRefusal, listing: int) -> CreditError:
    """Error of a step that the board refused."""
    rule, text = REFUSED[reason]
    return CreditError(rule, f"listing {listing} {text}")


def _words(step: did.Retire | did.Offset) -> dict[str, str]:
    """Words of a receipt."""
    return {"beneficiary": step.beneficiary, "reason": step.reason, "period": step.period}
