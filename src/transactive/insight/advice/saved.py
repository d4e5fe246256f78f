"""What a member saved against its supplier's tariff, and by what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over a member's slots [n¤].

    alone_n: bill of the same home without a market, its battery following the tariff. tariff_n: the registers as they
    were, at the supplier's tariff. bought_n and sold_n: what the energy traded ahead was better than that tariff, fee
    included. returned_n: what the community's account and the levy gave back, less the levy. services_n: what was
    received less what was paid for anything but energy, such as flexibility or credits. paid_n: what was paid.
    """

    alone_n: int
    tariff_n: int
    bought_n: int
    sold_n: int
    returned_n: int
    services_n: int
    paid_n: int


@dataclass(frozen=True, slots=True)
class SavingReason:
    """One reason for a saving [n¤]; negative where it cost something."""

    reason: str
    amount_n: int


def saved_by(sums: Sums) -> list[SavingReason]:
    """Split the saving alone_n − paid_n into reasons; the lines sum to it exactly.

    What is left after trades ahead, battery and returns is what was taken or given beyond the orders.
    """
    known = [
        SavingReason("Bought from neighbours below the supplier’s price", sums.bought_n),
        SavingReason("Sold to neighbours above the feed-in price", sums.sold_n),
        SavingReason("The battery follows the market", sums.alone_n - sums.tariff_n),
        SavingReason("Community account and levy", sums.returned_n),
        SavingReason("Flexibility, certificates and credits", sums.services_n),
    ]
    rest = sums.alone_n - sums.paid_n - sum(line.amount_n for line in known)
    return [*known, SavingReason("More or less than ordered", rest)]
