"""What `transactive watch` does: looks, tells, waits, and looks again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.chain.nodes.urls import is_embedded
from transactive.core.errors import InputError, NodeUnreachable

if TYPE_CHECKING:
    from transactive.chain.disputes.sighting import Sighting
    from transactive.chain.disputes.watch import LeafWatch
    from transactive.chain.disputes.whole_watch import WholeWatch

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


@dataclass(frozen=True, slots=True)
class Looks:
    """How often is looked [s], or once; how long a leaf is waited for [min]; how many sessions may be void."""

    patience: int
    every: int
    most_void: int
    once: bool


def run_watch(
    account: str,
    files: Path,
    signing: Signing,
    rhythm: Looks,
    *,
    node: str,
    deployment: Path,
    box: Path | None,
    json: bool,
) -> None:
    """LeafWatch until Ctrl-C, or look once. Raises InputError, ChainError; StateError for the chain of a run."""
    from transactive.chain.disputes.inbox import Inbox
    from transactive.chain.disputes.sighting import Watcher
    from transactive.chain.disputes.watch import LeafWatch
    from transactive.chain.disputes.whole_watch import WholeWatch
    from transactive.cli.chain.signing import opened

    if not files.is_dir():
        raise InputError(f"--files {files}: is no folder; make it, and let the operator's files come into it")
    if is_embedded(node) and not rhythm.once:
        raise InputError(
            "an embedded chain belongs to the program that writes it; add --once, or give a node elsewhere"
        )
    counted = _counted(box)
    with opened(node, deployment, signing.keys, signing.password_file, signing.seed) as (client, signers, known):
        sender, own = None, None
        if signing.send:
            own = None if signing.by else signers.account(account)
            sender = signers.named(signing.by) if signing.by else own
        part = known.part(account)
        index, settlement = part.index(account), client.contract("settlement", part.address("settlement"))
        inbox = Inbox(files, settlement.address, index)
        who = Watcher(index, sender, own, rhythm.patience * MINUTE, rhythm.most_void, counted)
        watches: list[LeafWatch | WholeWatch] = [LeafWatch(client, settlement, inbox, who)]
        if "group_link" in part.contracts:
            watches.append(WholeWatch(client, part.address("group_link"), inbox, who))
        _look(watches, client.head_timestamp, json=json, stop=rhythm.once)
        while not rhythm.once:
            time.sleep(rhythm.every)
            _look(watches, client.head_timestamp, json=json, stop=rhythm.once)


def _counted(box: Path | None) -> Callable[[int], tuple[int, int] | None]:
    """What a box has signed of a slot; nothing where there is none."""
    from transactive.node.settings import box_settings
    from transactive.node.signed_energy import SignedEnergy

    return SignedEnergy(box, box_settings(box).slot_seconds).of if box else lambda _: None


def _look(watches: Sequence[LeafWatch | WholeWatch], now: int, *, json: bool, stop: bool) -> None:
    """Print what is new; a node that is away is told, and asked again later unless this is the only look."""
    try:
        sights = [sight for watch in watches for sight in watch.look(now)]
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
