"""What members, the arbiter and judges did about commitments, as the contracts of a run logged it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED
from transactive.core.community.community import Community
from transactive.core.slots import time_text
from transactive.core.units import money_text

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.nodes.client import ChainClient

EVENTS = {
    "settlement": (
        "Voided(uint256,address)",
        "Rewound(uint256,uint256)",
        "Convicted(uint256,address,uint256)",
        "Ended(uint256)",
    ),
    "demands": ("Demanded(uint256,uint256,uint256)", "Answered(uint256,uint256)"),
}
"""Signatures of what is told, by contract."""


@dataclass(frozen=True, slots=True)
class ChainChallenge:
    """One entry. grave: whether somebody was found at fault, or payments were stopped. text: times in UTC."""

    block: int
    contract: str
    title: str
    text: str
    grave: bool


def challenges_of(folder: Path, community: Community) -> list[ChainChallenge]:
    """All of the run in a state folder that has its chain in it, oldest first. Raises ChainError."""
    from transactive.chain.deployments import deployment
    from transactive.chain.nodes.client import ChainClient

    with closing(ChainClient.open(f"{EMBEDDED}{folder / CHAIN_FILE}")) as client:
        return challenges_in(client, deployment.load(folder / deployment.FILE), community)


def challenges_in(client: ChainClient, deployed: Deployment, community: Community) -> list[ChainChallenge]:
    """The same of the contracts of a deployment."""
    found = list(_logged(client, deployed, community))
    return sorted(found, key=lambda each: each.block)


def _logged(client: ChainClient, deployed: Deployment, community: Community) -> Iterator[ChainChallenge]:
    from eth_utils.crypto import keccak

    from transactive.chain.nodes.events import event_of

    for name, one in deployed.everything.items():
        kind = name.split()[0]
        if kind not in EVENTS:
            continue
        contract = client.contract(kind, one.address)
        topics = ["0x" + keccak(text=signature).hex() for signature in EVENTS[kind]]
        for log in client.logs(contract, deployed.block, topics=[topics]):
            event, arguments = event_of(contract, log)
            title, text, grave = _words(event, arguments, community, deployed.accounts)
            yield ChainChallenge(int(log["blockNumber"], 16), name.replace("_", " "), title, text, grave)


def _words(
    event: str, arguments: dict[str, Any], community: Community, accounts: Sequence[str]
) -> tuple[str, str, bool]:
    """What an event says, in a title and a sentence."""
    clock = community.clock
    if event in ("Demanded", "Answered"):
        index = int(arguments["account"])
        who = accounts[index] if index < len(accounts) else f"account {index}"
        slot = time_text(int(arguments["slot"]) * clock.length)
        if event == "Answered":
            return "Proof given", f"The proof of {who} for the slot of {slot} stands on the chain.", False
        until = time_text(int(arguments["until"]))
        return "Proof demanded", f"{who} asks for the proof of the slot of {slot}; due by {until}.", False
    period = int(arguments["period"])
    begins = time_text(period * clock.slots_per_period * clock.length)
    of = f"the settlement period of {begins}"
    if event == "Voided":
        return "Netting stopped", f"The netting of {of} was stopped before it was paid.", True
    if event == "Rewound":
        slot = time_text(int(arguments["slot"]) * clock.length)
        return "Taken back", f"Commitments of {of} were taken back; they begin anew with {slot}.", False
    if event == "Convicted":
        paid = money_text(int(arguments["amount"]), community.currency)
        return "Operator convicted", f"A judge upheld a challenge about {of}; {paid} of the stake were paid out.", True
    return "Settlement ended", f"Nothing is netted after {of}.", True
