"""Acts on the judge of deals: a deal that the operator does not answer, and those who signed what they must not."""

from __future__ import annotations

from transactive.chain.acts.act import Act, Group, Take

DEAL = "File of a deal, as each party keeps it."

DEALS = Group(
    "deals",
    "Deals that members signed with each other: posted in time, and signed twice.",
    (
        Act(
            "post",
            "anybody",
            "deals",
            "post",
            "Show the operator a deal that it does not answer, in time before its slot.",
            "the deal binds the operator, if both keys had its allowance",
            (Take("deal", "deal", DEAL),),
        ),
        Act(
            "twice",
            "anybody",
            "deals",
            "showTwice",
            "Show two awards for one bid, or two bids with one serial.",
            "who signed both is known to have cheated; of two awards, the one that was posted later binds nobody",
            (Take("deal", "deal", DEAL), Take("other", "deal", DEAL)),
        ),
        Act(
            "beyond",
            "anybody",
            "deals",
            "showBeyond",
            "Show deals of a key that are beyond its allowance together, before their slot ends.",
            "what was posted last, beyond the allowance, binds nobody",
            (Take("deals", "deals beyond", "Files of the deals, joined by commas: first those that nobody posted."),),
        ),
        Act(
            "bar",
            "anybody",
            "deals",
            "bar",
            "Show whose key cheated: what this member posts binds nobody for thirty days.",
            "what the member posts from the next slot on binds nobody for thirty days",
            (Take("deal", "own deal", "File of a deal of that key, which names its member."),),
        ),
    ),
)
