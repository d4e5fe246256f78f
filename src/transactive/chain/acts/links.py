"""Acts on the link of a group: working capital to the other side, and back to who lent it."""

from __future__ import annotations

from transactive.chain.acts.act import OFF, ON, Act, Fixed, Group
from transactive.chain.acts.settlement import AMOUNT

SIDES: tuple[tuple[str, Fixed, str], ...] = (
    ("group", ON, "the group's settlement"),
    ("whole", OFF, "the settlement of the whole"),
)


def _acts(name: str, side: Fixed, where: str) -> tuple[Act, ...]:
    """Acts on one side."""
    return (
        Act(
            f"shift-from-{name}",
            "operator",
            "group_link",
            "shift",
            f"Ask that capital leaves {where} for the other side.",
            "it is carried after the notice, or once the operator has released it; zero takes the request back",
            (side, AMOUNT),
        ),
        Act(
            f"take-back-from-{name}",
            "on-ramp",
            "group_link",
            "takeBack",
            f"Ask for capital of yours in {where}.",
            "it is carried after the notice; what the operator shifts until then goes first",
            (side, AMOUNT),
        ),
        Act(
            f"carry-from-{name}",
            "anybody",
            "group_link",
            "carry",
            f"Bring what was asked for in {where} to where it belongs.",
            "it is on the other side, or with who lent it",
            (side,),
        ),
    )


CAPITAL = Group(
    "capital",
    "Working capital of a group's link; --group says which.",
    tuple(act for name, side, where in SIDES for act in _acts(name, side, where)),
)
