"""Acts of communities in groups: on the working capital of a group's link, and what members ask of the whole."""

from __future__ import annotations

from transactive.chain.acts.act import OFF, ON, Act, Fixed, Group, Take
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

WHOLE_SLOT = Take("slot", "whole opening", "Start of a slot that the whole has committed; without it the last one.", "")
LINK = Take("link", "link", "Address of a group's link; without it that of --account or --group.", "")

WHOLE = Group(
    "whole",
    "What members of a group ask of the whole.",
    (
        Act(
            "ask",
            "account",
            "group_disputes",
            "ask",
            "Ask the operator to show that the whole says of your group what the group says.",
            "the operator has a quarter of a window to show it on chain, with `chain answer`",
            (WHOLE_SLOT, LINK),
        ),
        Act(
            "overdue",
            "anybody",
            "group_disputes",
            "challengeSilence",
            "Say that nobody answered what was asked of the whole in time.",
            "what was asked was not answered in time; the operator pays",
            (WHOLE_SLOT, LINK),
        ),
    ),
)
