"""Whether the whole says of a member's group what the group has: leaf, root of the whole, and that both have paid."""

from __future__ import annotations

from transactive.core.proofs.groups import agrees
from transactive.core.proofs.leaves import climb
from transactive.insight.statements.statement import Statement, StatementPeriod, StatementWhole
from transactive.services.statements.checks.words import Witness, hold
from transactive.services.statements.stated_numbers import content_of, leaf_of, steps_of


def check_groups(of: Statement, address: str, witness: Witness) -> str:
    """Each period that the whole (address) has committed: the group's leaf in it, by the group's own commitments."""
    whole, paid, joined = witness.whole(address), 0, 0
    for period in of.periods:
        head = whole.head(period.number)
        hold(any(head) == (period.whole is not None), f"period {period.number}: the whole has committed it, or has not")
        if period.whole is None:
            continue
        stated, at = period.whole, f"period {period.number}"
        places = stated.link_place, stated.group_place
        hold(witness.is_joined(address, *places), f"{at}: places {places} are not those of the group's link")
        _check_period(period, stated, at)
        committed = whole.head_of(content_of(link) for link in stated.links)
        hold(committed == head, f"{at}: the whole's commitments are not those on chain")
        named = stated.group_leaf.fills
        known = witness.head_of(content_of(link) for link in period.links)
        hold(named == known.hex(), f"{at}: the whole names other commitments of the group")
        paid += period.number <= min(whole.settled_period(), witness.settled_period())
        joined += 1
    return f"{joined} as in the whole at {address}, {paid} of them paid there too"


def _check_period(period: StatementPeriod, stated: StatementWhole, at: str) -> None:
    """Both leaves lead to the last commitments of group and whole, and say the same."""
    hold(bool(period.links and stated.links), f"{at}: commitments of the group or the whole are missing")
    found = []
    for leaf, place, link in (
        (stated.link_leaf, stated.link_place, period.links[-1]),
        (stated.group_leaf, stated.group_place, stated.links[-1]),
    ):
        made = leaf_of(link.slot, place, leaf)
        root, money, energy, consistent = climb(made, place, steps_of(leaf))
        leads = (root.hex(), f"{money:x}", f"{energy:x}") == (link.root, link.money, link.energy)
        hold(consistent and leads, f"{at}: the leaf in place {place} does not lead to its root")
        found.append(made)
    link_leaf, group_leaf = found
    own = period.links[-1]
    same = agrees(group_leaf, link_leaf, int(own.money, 16), int(own.energy, 16))
    hold(same, f"{at}: the whole has other sums than the group")
