"""What dishonest people do: any entry point, with arguments from what they have seen. It knows no attack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fuzz.adversary.material import Material
from tests.fuzz.bound import Bound, Person

if TYPE_CHECKING:
    from tests.fuzz.adversary.community import Community

OFFICE = {
    "settlement": (
        "commitSlot",
        "propose",
        "retract",
        "release",
        "register",
        "registerMany",
        "requestBond",
        "takeBond",
    ),
    "demands": ("answer",),
}
"""Entry points that a role alone may use, by contract."""
ELSEWHERE = ("follow",)
"""What can go through with a registry only, as `tests/fuzz/lost_keys_stage.py` has one."""
ROLE: dict[str, dict[str, tuple[str, ...]]] = {
    "operator": OFFICE,
    "arbiter": {"settlement": ("veto", "veto", "setPaused")},
    "owner": {
        "settlement": ("setPaused", "setArbiter", "offerOperator", "offerOwnership"),
        "disputes": ("setGateway",),
        "certificates": ("setZones", "setReach", "setCredits"),
    },
    "member": {
        "settlement": ("deposit", "requestWithdrawal", "withdraw", "setLimit"),
        "disputes": ("revoke",),
        "demands": ("demand", "demand"),
        "certificates": ("transfer", "claim", "withdraw", "setOperator"),
    },
    "gateway": {},
    "stranger": {"settlement": ("acceptOperator", "acceptOwnership")},
}


class Coalition:
    """The dishonest people of a stage."""

    def __init__(self, community: Community) -> None:
        self.w, self.material = community, Material(community)
        self.everything: list[tuple[Bound, str]] = []
        self.open: list[tuple[Bound, str]] = []
        special = {(name, function) for role in ROLE.values() for name, some in role.items() for function in some}
        for c in community.bounds.values():
            names = [name for name, function in c.functions.items() if function.writes and name not in ELSEWHERE]
            self.everything += [(c, name) for name in names]
            self.open += [(c, name) for name in names if (c.name, name) not in special]

    def act(self) -> None:
        """One act of one of them."""
        w, rng = self.w, self.w.rng
        role = rng.choice(sorted(w.coalition))
        who = self.person(role)
        if role == "operator" and rng.random() < 0.25:
            w.office.act()
            return
        if role == "gateway" and rng.random() < 0.05:
            rng.choice([self.material.sign_another_reading, self.material.sign_a_false_receipt])()
            return
        own = [(w.bounds[name], function) for name, some in ROLE[role].items() for function in some]
        kinds: list[Callable[[], tuple[Bound, str]]] = [lambda: rng.choice(self.open)] * 4
        kinds += [lambda: rng.choice(self.everything)]
        kinds += [lambda: rng.choice(own)] * 4 if own else []
        on, function = rng.choice(kinds)()
        self.material.subject()
        w.call(who, on, function, *self.material.arguments(on, function))

    def person(self, role: str) -> Person:
        """Who has a role; an office may be somebody else's by now."""
        w = self.w
        people = {
            "owner": [w.owner],
            "arbiter": [w.arbiter],
            "stranger": [w.stranger],
            "member": w.citizens[:1],
            "operator": [w.operator_now if w.operator_now.role == "operator" else w.operators[0], w.operators[0]],
            "gateway": w.gateways,
        }
        return w.rng.choice(people[role])
