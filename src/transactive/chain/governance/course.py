"""What happened to each proposal and when, and who lets whom vote, as the governor logged it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from transactive.chain.governance.proposals import Governance
from transactive.chain.nodes.events import event_of

TOLD = ("Proposed", "Seconded", "Begun", "Voted", "Tallied", "Prolonged", "Stopped", "Executed")
"""Events that belong to a proposal."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a proposal. name: of the event; index: of the member that did it, None for anybody; at [Unix s].

    values: what the event says beside.
    """

    proposal: int
    name: str
    index: int | None
    block: int
    at: int
    values: dict[str, Any]


def course(governance: Governance) -> tuple[list[Happened], dict[int, int]]:
    """All that happened to proposals, oldest first; and who is represented now, with by whom, by index."""
    client, found = governance.client, list[Happened]()
    times, proxies = dict[int, int](), dict[int, int]()
    for log in client.logs(governance.governor):
        name, said = event_of(governance.governor, log)
        if name == "ProxySet":
            proxies[int(said["index"])] = int(said["proxy"])
        if name not in TOLD:
            continue
        block = int(log["blockNumber"], 16)
        if block not in times:
            times[block] = client.time_of(block)
        who = said.get("by", said.get("index"))
        index = None if who is None else int(who)
        found.append(Happened(int(said["proposal"]), name, index, block, times[block], said))
    return found, {index: proxy for index, proxy in proxies.items() if index != proxy}
