"""What neighbours shared, in words that members understand: how much, by which keys, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from transactive.config.presets import known
from transactive.core.community.community import Community
from transactive.core.units import IntArray
from transactive.settlement.shared_postings import used_and_given
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import kwh_text
from transactive.texts.language import N_, _

KEYS = {
    "static": N_("by agreed shares"),
    "rounds": N_("by agreed shares until nobody can use more"),
    "dynamic": N_("by what each took"),
    "equal": N_("to all alike"),
    "order": N_("to one after the other"),
    "coefficients": N_("by the agreed shares of the hour"),
    "report": N_("as the distributor reported"),
}
"""Keys as people say them."""


def shared_wh(reader: Reader, run: Run, slots: Iterable[int]) -> tuple[IntArray, IntArray]:
    """What each member used of what neighbours gave, and gave to them, in delivered slots [Wh], each (members,)."""
    members = len(run.community.members)
    used, given = np.zeros(members, np.int64), np.zeros(members, np.int64)
    for slot in slots:
        more, less = used_and_given(reader.store.postings(slot), members)
        used, given = used + more, given + less
    return used, given


def rule_words(community: Community) -> str:
    """How a community shares: its circles, its keys, and the law's model if it follows one."""
    rules = community.sharing_in_force
    if rules is None:
        return ""
    steps = [_("first within %(name)s %(keys)s", name=circle.name, keys=_keys(circle.keys)) for circle in rules.circles]
    if rules.keys:
        keys = _keys(rules.keys)
        steps.append(_("then among all %(keys)s", keys=keys) if steps else keys)
    preset = known(community)
    return ", ".join(steps) + (f" ({preset.title})" if preset else "")


def _keys(keys: Iterable[str]) -> str:
    first, *others = keys
    text = _(KEYS[first])
    for key in others:
        text = _("%(first)s, then %(then)s", first=text, then=_(KEYS[key]))
    return text


def member_words(reader: Reader, run: Run, member: int, slots: list[int]) -> str:
    """What a member shared in some slots, in a sentence."""
    used, given = shared_wh(reader, run, slots)
    rules = rule_words(run.community.at(slots[-1])) if slots else ""
    took, gave = kwh_text(int(used[member])), kwh_text(int(given[member]))
    return _(
        "You used %(took)s kWh that neighbours gave and gave them %(gave)s kWh, divided %(rules)s.",
        took=took,
        gave=gave,
        rules=rules,
    )


def community_words(reader: Reader, run: Run, slots: list[int]) -> str:
    """What all members shared in some slots, in a sentence."""
    used, _given = shared_wh(reader, run, slots)
    return _(
        "Neighbours shared %(kwh)s kWh, %(rule)s.",
        kwh=kwh_text(int(used.sum())),
        rule=rule_words(run.community.at(slots[-1])),
    )
