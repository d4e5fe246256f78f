"""Who may call what on chain: every function that changes something by every role, asked of the contracts.

`python -m tests.contract.test_contract_matrix` writes the table in docs/concepts/security.md anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fuzz.adversary.community import Community
from tests.fuzz.adversary.direct import PROJECTS, Direct
from tests.fuzz.adversary.drawing import names_of
from tests.fuzz.adversary.markets.balance import BalanceStage
from tests.fuzz.adversary.markets.board import BoardStage
from tests.fuzz.adversary.markets.stage import AHEAD
from tests.fuzz.adversary.stage import Stage
from tests.fuzz.adversary.terms import DEPTH, LEAD, NOTICE, PENALTY, SILENCE, SLOT, SLOTS, WINDOW
from tests.fuzz.bound import Bound
from tests.fuzz.deals_stage import Deals
from tests.fuzz.life import Tally, reason_of
from tests.fuzz.machine import new_machine
from transactive.chain.artifact import CONTRACTS

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "security.md"
BEGIN, END = "<!-- contract matrix: begin -->\n", "<!-- contract matrix: end -->\n"
ROLES = (
    "owner", "operator", "arbiter", "gateway", "registrar", "auditor", "minter", "member", "candidate", "stranger",
    "contract",
)  # fmt: skip
OTHERS = "contract"
"""Another contract of the same deployment: the one that may call, if any may."""
CALLED_BY = {"settlement": "disputes", "disputes": "demands", "judges": "deals", "certificates": "carbon_credits"}
NOT_YOURS = re.compile(r": (not (the|a|yours|allowed).*|role missing|operator only)$")
"""Refusals for who calls, not for what is given."""
NOBODY = "0x" + "00" * 20
MEMBER = 4
"""A member with all that members can have."""


class Groups(Deals):
    """The members of a settlement as one group, the whole that it belongs to, and their link, funded by the on-ramp."""

    def begin(self) -> None:
        super().begin()
        by, operator = self.owner, self.operator.address
        rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, PENALTY, self.arbiter.address, LEAD, NOBODY)
        whole = self.deploy(by, "settlement", self.token.address, *rules, key="whole")
        disputes = self.deploy(by, "disputes", whole.address, key="disputes of whole")
        whole.do(by.address, "setDisputes", disputes.address)
        disputes.do(by.address, "setDemands", self.deploy(by, "group_disputes", disputes.address).address)
        whole.do(by.address, "offerOperator", operator)
        whole.do(operator, "acceptOperator")
        link = self.deploy(by, "group_link", self.c.address, whole.address, self.ramp.address)
        for settlement in (self.c, whole):
            settlement.do(operator, "register", link.address)


def stages() -> Iterator[tuple[Stage, tuple[str, ...]]]:
    """Deployments, and the contracts that are asked on each."""
    own = ("currency", "settlement", "disputes", "demands", "certificate_disputes")
    direct = ("certificates", "carbon_credits")
    made = (
        (Community, own),
        (Direct, direct),
        (Deals, ("judges", "deals")),
        (Groups, ("group_link", "group_disputes")),
        (BalanceStage, ("registry", "balance_market")),
    )
    for kind, contracts in (*made, (BoardStage, ("trade_board",))):
        yield kind(new_machine("py-evm"), 0, Tally()), contracts


def people(stage: Stage) -> dict[str, str]:
    """Address of each role on a stage; a candidate has been offered everything."""
    found = {role: getattr(stage, role, None) for role in ("owner", "arbiter", "registrar", "auditor", "stranger")}
    found |= {"operator": getattr(stage, "operator", None), "gateway": getattr(stage, "gateway", None)}
    found["minter"] = getattr(stage, "ramp", None)
    if isinstance(stage, Community):
        found |= {"operator": stage.operators[0], "gateway": stage.gateways[0]}
    addresses = {role: person.address for role, person in found.items() if person}
    addresses["member"] = members(stage)[MEMBER if len(members(stage)) > MEMBER else 1].address
    addresses["candidate"] = "0x" + "c0" * 20
    owner, machine = addresses["owner"], stage.machine
    for c in stage.bounds.values():
        for offer in ("offerOwnership", "offerOperator"):
            if offer in c.functions:
                machine.call(owner, c.address, c.data(offer, [addresses["candidate"]]))
    return addresses


def members(stage: Any) -> list[Any]:
    """Members of a stage, by index."""
    found: list[Any] = stage.members
    return found


def prepare(stage: Stage, who: dict[str, str]) -> None:
    """Something that belongs to somebody: a batch, a trade, a request, a key that is replaced."""
    if isinstance(stage, Direct):
        stage.credits.do(who["auditor"], "issue", PROJECTS["auditor"], 2026, b"s" * 32, 10, who["member"])
    if isinstance(stage, BalanceStage):
        stage.registry.do(who["registrar"], "startRecovery", MEMBER, who["candidate"])
    if isinstance(stage, BoardStage):
        slot = (stage.now // 900 + AHEAD) * 900
        stage.machine.at = stage.now
        stage.c.do(who["member"], "addAvailableTrade", slot, 10, 1, 0)
        stage.c.do(who["member"], "requestEnergy", slot, 10, 1, 0)


def nothing(kind: str) -> Any:
    """The least argument of a type."""
    if kind.endswith("]"):
        size = kind.rpartition("[")[2][:-1]
        return [nothing(kind.rpartition("[")[0])] * int(size or 0)
    if kind.startswith("("):
        return tuple(nothing(part) for part in parts(kind[1:-1]))
    return {"address": NOBODY, "bool": False, "string": ""}.get(kind, bytes(32) if kind.startswith("bytes") else 0)


def parts(inside: str) -> list[str]:
    """Types of a tuple, which may hold tuples."""
    found, depth, start = [], 0, 0
    for place, sign in enumerate(inside + ","):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            found.append(inside[start:place])
            start = place + 1
    return found


def arguments(c: Bound, function: str, index: int, account: str, link: str = NOBODY) -> list[Any]:
    """Arguments that belong to the member and the auditor who are asked, and to the link of the member's group."""
    known = {
        ("member", "uint256"): index, ("index", "uint256"): index, ("account", "uint256"): index,
        ("account", "address"): account, ("project", "bytes32"): PROJECTS["auditor"],
        ("link", "address"): link,
    }  # fmt: skip
    pairs = zip(names_of(c.name)[function], c.functions[function].takes, strict=True)
    return [known[pair] if pair in known else nothing(pair[1]) for pair in pairs]


def rows() -> Iterator[tuple[str, str, list[bool | None]]]:
    """Contract, function, and for each role whether it is let in; None where a deployment has nobody with that role."""
    for stage, contracts in stages():
        who = people(stage)
        prepare(stage, who)
        index = [person.address for person in members(stage)].index(who["member"])
        link = stage.bounds["group_link"].address if "group_link" in stage.bounds else NOBODY
        for name in contracts:
            c = stage.bounds[name]
            other = CALLED_BY.get(name)
            callers = who | ({OTHERS: stage.bounds[other].address} if other and other in stage.bounds else {})
            for function in sorted(one for one, made in c.functions.items() if made.writes):
                given, let_in = arguments(c, function, index, who["member"], link), list[bool | None]()
                for role in ROLES:
                    let_in.append(asked(stage, c, callers[role], function, given) if role in callers else None)
                yield name, function, let_in


def asked(stage: Stage, c: Bound, caller: str, function: str, given: list[Any]) -> bool:
    """Whether a caller is let in, whatever becomes of the call."""
    stage.machine.at = stage.now
    mark = stage.machine.mark()
    reason = reason_of(c.do, caller, function, *given)
    stage.machine.back(mark)
    return reason is None or not NOT_YOURS.search(reason)


def table() -> str:
    """The matrix as Markdown: a column for everybody, and one for each role."""
    lines = [f"| function | anybody | {' | '.join(ROLES)} |", f"|---|---|{'---|' * len(ROLES)}"]
    for name, function, let_in in rows():
        marks = ["", *("yes" if one else "" for one in let_in)]
        if all(one for role, one in zip(ROLES, let_in, strict=True) if one is not None and role != OTHERS):
            marks = ["yes"] + [""] * len(ROLES)
        lines.append(f"| `{name}.{function}` | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def test_the_table_in_the_documents_is_what_the_contracts_do():
    written = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert written == table()


def test_every_contract_is_asked():
    voted = {"rules", "governor"}  # whose callers are members: test_governor.py asks them, and their lives
    foreseen = {"prediction_market", "forecast_pool"}  # as above: their own tests ask them, and their lives
    alone = {"anchors", "witness"}  # which anybody may call; who may change a witness is asked by its own tests
    asked = {name for _, contracts in stages() for name in contracts}
    assert asked == set(CONTRACTS) - voted - foreseen - alone


def main() -> None:
    """Write the table anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} written\n")


if __name__ == "__main__":
    main()
