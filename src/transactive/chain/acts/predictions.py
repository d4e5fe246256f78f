"""Acts on the pool of stakes that belong to no day; stakes and shares are `transactive predict`."""

from __future__ import annotations

from transactive.chain.acts.act import Act, Group, Take

FORECASTS = Group(
    "forecasts",
    "The pool of stakes on forecasts; a day's stakes are `transactive predict`.",
    (
        Act(
            "set-reach",
            "operator",
            "forecast_pool",
            "setReach",
            "Say how much of a slot a member's plants and connection can make up.",
            "it can stake, unless that is more than half of what all have",
            (
                Take("member", "index", "Member, by its account's name."),
                Take("wh", "number", "Energy that it can add to a slot, or take from it [Wh]."),
            ),
        ),
        Act(
            "withdraw",
            "account",
            "forecast_pool",
            "withdraw",
            "Member: take money that is not staked.",
            "it is in your wallet",
            (Take("amount", "money", "Money in the community's currency, up to nine decimals, as in 12.50."),),
        ),
    ),
)
