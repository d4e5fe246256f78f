"""What `transactive watch` does: looks, tells, waits, and looks again."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.chain.nodes.urls import is_embedded
from transactive.core.errors import InputError, NodeUnreachable

if TYPE_CHECKING:
    from transactive.chain.disputes.watch import LeafWatch, Sighting

FRAUD = 5
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs what is found, if anything is sent. by: another key than the account's."""

    send: bool
    by: str | None
    keys: Path | None
    password_file: Path | None
    seed: str


def run_watch(
    account: str,
    files: Path,
    signing: Signing,
    *,
    node: str,
    deployment: Path,
    patience: int,
    every: int,
    most_void: int,
    once: bool,
    json: bool,
) -> None:
    """LeafWatch until Ctrl-C, or look once. Raises InputError, ChainError; StateError for the chain of a run."""
    from transactive.chain.disputes.inbox import Inbox
    from transactive.chain.disputes.watch import LeafWatch, Watcher
    from transactive.cli.chain.signing import opened

    if not files.is_dir():
        raise InputError(f"--files {files}: is no folder; make it, and let the operator's files come into it")
    if is_embedded(node) and not once:
        raise InputError(
            "an embedded chain belongs to the program that writes it; add --once, or give a node elsewhere"
        )
    with opened(node, deployment, signing.keys, signing.password_file, signing.seed) as (client, signers, known):
        index, sender, own = known.index(account), None, None
        if signing.send:
            own = None if signing.by else signers.account(account)
            sender = signers.named(signing.by) if signing.by else own
        settlement = client.contract("settlement", known.address("settlement"))
        inbox = Inbox(files, settlement.address, index)
        watch = LeafWatch(client, settlement, inbox, Watcher(index, sender, own, patience * MINUTE, most_void))
        _look(watch, client.head_timestamp, json=json, stop=once)
        while not once:
            time.sleep(every)
            _look(watch, client.head_timestamp, json=json, stop=once)


def _look(watch: LeafWatch, now: int, *, json: bool, stop: bool) -> None:
    """Print what is new; a node that is away is told, and asked again later unless this is the only look."""
    try:
        sights = list(watch.look(now))
    except NodeUnreachable as error:
        if stop:
            raise
        print(f"transactive: {error}", file=sys.stderr)
        return
    for sight in sights:
        print(msgspec.json.encode(sight).decode() if json else _line(sight))
    sys.stdout.flush()
    if stop and any(sight.is_fraud for sight in sights):
        sys.exit(FRAUD)


def _line(sight: Sighting) -> str:
    """One sight for people."""
    sent = f"; {sight.sent}: {sight.outcome}" if sight.sent else ""
    return f"slot {sight.slot}: {sight.seen}{sent}"
