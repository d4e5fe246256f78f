"""Acts on the governor that belong to no proposal: who is an elector, and what was offered to it."""

from __future__ import annotations

from transactive.chain.acts.act import Act, Group, Take

WHO = Take("member", "index", "Member whose vote it is, by its account's name.")

ELECTORS = Group(
    "governor",
    "Who votes in a community's governor, and what it takes over; proposals and votes are `transactive govern`.",
    (
        Act(
            "checkpoint",
            "anybody",
            "governor",
            "checkpoint",
            "Note how many members there are, so that they vote a season later.",
            "members of today are electors a season from now",
        ),
        Act(
            "leave",
            "anybody",
            "governor",
            "leave",
            "Strike a member off the electors: yourself at once; who has no role in the registry a season after it was"
            " announced.",
            "it is struck off, or announced to be; what it voted stays counted",
            (WHO,),
        ),
        Act(
            "stay",
            "account",
            "governor",
            "stay",
            "Member: object to being struck off.",
            "you stay an elector",
            (WHO,),
        ),
        Act(
            "accept-ownership",
            "anybody",
            "governor",
            "acceptOwnership",
            "Let the governor take over a contract that its owner has offered to it.",
            "the governor is the owner",
            (Take("target", "address", "Address of the contract, or its name in the deployment."),),
        ),
    ),
)
