"""`transactive chain events`: what the contracts logged, as it happens, and what a reorganisation takes back."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from transactive.chain.nodes.urls import is_embedded
from transactive.cli.chain.status import deployment_of
from transactive.core.errors import InputError

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.nodes.client import ChainClient

POLL_SECONDS = 2


def run_events(node: str, file: Path | None, *, follow: bool, json: bool) -> None:
    """Print one line an event, and go on for ever with `follow`. Raises InputError, ChainError."""
    from transactive.chain.nodes.client import ChainClient

    if follow and is_embedded(node):
        raise InputError("--follow is for a node elsewhere: an embedded chain belongs to the program that writes it")
    deployment = deployment_of(node, file)
    with closing(ChainClient.open(node)) as client:
        deployment.check(client)
        for event in _events(client, deployment, follow=follow):
            print(msgspec.json.encode(event).decode() if json else _line(event))
            sys.stdout.flush()


def _events(client: ChainClient, deployment: Deployment, *, follow: bool) -> Iterator[dict[str, Any]]:
    """Events in the order in which they have to be believed."""
    from transactive.chain.nodes.events import event_of

    contracts = {
        deployed.address.lower(): (name, client.contract(name.split()[0], deployed.address))
        for name, deployed in deployment.everything.items()
    }
    cursor = client.cursor([contract for _, contract in contracts.values()], deployment.block)
    while True:
        news = cursor.read()
        for taken_back, logs in ((True, news.removed), (False, news.added)):
            for log in logs:
                name, contract = contracts[log["address"].lower()]  # nodes differ in letters
                event, arguments = event_of(contract, log)
                yield {
                    "block": int(log["blockNumber"], 16),
                    "contract": name,
                    "event": event,
                    "arguments": {key: _plain(value) for key, value in arguments.items()},
                    "taken_back": taken_back,
                }
        if not follow:
            return
        time.sleep(POLL_SECONDS)


def _plain(value: object) -> str:
    """Argument as text: whole numbers may be longer than a program that reads JSON can hold."""
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _line(event: dict[str, Any]) -> str:
    """One event for people."""
    arguments = " ".join(f"{name}={value}" for name, value in event["arguments"].items())
    mark = "taken back: " if event["taken_back"] else ""
    return f"{mark}block {event['block']} {event['contract']} {event['event']} {arguments}"
