"""Words of the pages, each in a sentence, and the document that tells more."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.texts.language import N_


@dataclass(frozen=True, slots=True)
class PageTerm:
    """A word: as it stands on pages, what it means, and the document with more about it."""

    name: str
    text: str
    document: str


TERMS = {
    "slot": PageTerm(
        N_("Slot"),
        N_(
            "The time that is traded and settled as one: an hour or a part of it. Its orders are fixed when its"
            " gate closes."
        ),
        "docs/glossary.md",
    ),
    "price": PageTerm(
        N_("Market price"),
        N_(
            "The price at which buyers and sellers of a slot meet. It lies between what the supplier pays and"
            " what it asks, so both sides gain by it."
        ),
        "docs/concepts/mechanisms.md",
    ),
    "order": PageTerm(
        N_("Order"),
        N_(
            "How much a home wants to buy or sell in a slot, and at which price at most or at least. It is made"
            " from the home’s forecast and needs nobody’s hand."
        ),
        "docs/concepts/mechanisms.md",
    ),
    "saved": PageTerm(
        N_("Saved"),
        N_(
            "The bill of the same home without a market, alone with its supplier, less what it paid here. What is"
            " left in a battery is not counted before it is used."
        ),
        "docs/concepts/insights.md",
    ),
    "battery": PageTerm(
        N_("Battery"),
        N_(
            "It plans once a day from forecasts of the home and of prices, and then follows what the home really"
            " needs. It holds energy where a later slot makes that worth more."
        ),
        "docs/papers/scheduling.md",
    ),
    "settlement": PageTerm(
        N_("Settlement"),
        N_(
            "What was traded is compared with what meters say. Differences meet each other inside the community"
            " first; only the rest is bought from the supplier or sold to it."
        ),
        "docs/concepts/settlement.md",
    ),
    "commitment": PageTerm(
        N_("Commitment"),
        N_(
            "Two hashes of all that a slot said, written to the chain. They tell nothing to strangers, and show"
            " every later change of a figure."
        ),
        "docs/concepts/settlement.md",
    ),
    "netting": PageTerm(
        N_("Netting"),
        N_("At the end of a period the chain pays each member the balance of all its slots at once."),
        "docs/concepts/settlement.md",
    ),
    "proof": PageTerm(
        N_("Proof"),
        N_(
            "The hashes that lead from a member’s own figures to the commitment on the chain. Whoever has them"
            " needs to trust nobody."
        ),
        "docs/tutorial/statement.md",
    ),
    "certificate": PageTerm(
        N_("Certificate"),
        N_(
            "One for each metered Wh that was generated. It is claimed once, by whoever used the energy in the"
            " same slot."
        ),
        "docs/concepts/carbon.md",
    ),
    "location": PageTerm(
        N_("By location, by claims"),
        N_(
            "By location energy has the carbon of what physically fed the community and its grid; by claims it"
            " has that of the certificates that were claimed for it."
        ),
        "docs/concepts/carbon.md",
    ),
    "grid": PageTerm(
        N_("Line"),
        N_(
            "A part of the network with a limit. Its forecast says how full it will be, and what devices are"
            " asked before it is too full."
        ),
        "docs/concepts/grid.md",
    ),
    "finding": PageTerm(
        N_("Finding"),
        N_(
            "Something at a meter or a device that does not fit its own past. It changes no money and no rights"
            " by itself: a person looks at it and decides."
        ),
        "docs/concepts/insights.md",
    ),
    "model": PageTerm(
        N_("Forecast model"),
        N_(
            "What says how much homes will use and generate. A new one takes over only where it is significantly"
            " better."
        ),
        "docs/concepts/models.md",
    ),
}
"""By the name that addresses use: /help#saved."""
