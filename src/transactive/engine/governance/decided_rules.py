"""Rules that members decided on, taken up before a run's gates, and kept in its state: what a replay reads.

Once recorded, a decision is part of the run: with the chain away, the last recorded one goes on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from transactive.chain.deployments.deployment import load
from transactive.chain.governance.decisions import DEPTH, decisions, require_on_chain
from transactive.chain.governance.place import note_place
from transactive.chain.governance.proposals import Governance
from transactive.core.errors import ChainError, InputError
from transactive.core.governance.decided import Decided
from transactive.core.slots import parse_time, time_text
from transactive.engine.governance.recorded_rules import KEY, decided_in, recorded_alone
from transactive.engine.governance.silences import note_answer, note_silence
from transactive.engine.state_folder import DATA_END
from transactive.store import Store
from transactive.store.folder import hold


def take_up(
    folder: Path, node: str, deployment: Path, length: int, store_url: str | None = None, depth: int = DEPTH
) -> list[Decided]:
    """Record what is final on chain and was not known yet; all decisions of the run, oldest first.

    store_url: of the database for the state; None: a file in its folder. depth: blocks on top of a final one.

    A decision that comes too late for its slot holds from the first one that is not settled. A chain that does not
    answer is told on stderr, and the recorded rules go on. Raises ChainError where a recorded block is not on it.
    """
    known = load(deployment)
    if "governor" not in known.contracts:
        return recorded_alone(folder)
    from transactive.chain.nodes.client import ChainClient

    with hold(folder), closing(Store.settled(folder, store_url)) as store:
        note_place(folder, node, known)
        kept = decided_in(store)
        try:
            client = ChainClient.open(node)
        except ChainError as error:
            last = f"those of block {kept[-1].block}" if kept else "those of the community file"
            print(f"transactive: {error}; the rules that were known last go on: {last}", file=sys.stderr)
            note_silence(folder, _open_from(store))
            return kept
        note_answer(folder, _open_from(store))
        with closing(client):
            known.check(client)
            client.first_block = known.block
            governance = Governance(client, known)
            if kept:
                require_on_chain(governance, kept[-1])
            new = decisions(governance, length, _open_from(store), kept[-1].block if kept else -1, depth)
        if new:
            store.set(**{KEY: msgspec.json.encode([*kept, *new]).decode()})
        for one in new:
            print(
                f"transactive: members decided on {one.number} = {one.value} from {time_text(one.holds_from)} on (block"
                f" {one.block})",
                file=sys.stderr,
            )
        return [*kept, *new]


def asking(
    folder: Path, node: str, deployment: Path, length: int, tell: Callable[[str], None], depth: int = DEPTH
) -> Callable[[int, int], list[Decided]]:
    """Asks a chain for decisions of final blocks after one, for which slots from a time on are open.

    A chain that does not answer is told once, and nothing new is known meanwhile. Raises InputError for a deployment
    without a governor, ChainError for a chain that is another.
    """
    from transactive.chain.nodes.client import ChainClient

    known = load(deployment)
    if "governor" not in known.contracts:
        raise InputError(f"--deployment {deployment}: has no governor; `govern adopt` founds one")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    note_place(folder, node, known)
    away = False

    def ask(after: int, open_from: int) -> list[Decided]:
        """What is new."""
        nonlocal away
        try:
            client = ChainClient.open(node)
        except ChainError as error:
            if not away:
                tell(f"{error}; the rules that were known last go on")
                note_silence(folder, open_from)
            away = True
            return []
        away = False
        note_answer(folder, open_from)
        with closing(client):
            known.check(client)
            client.first_block = known.block
            return decisions(Governance(client, known), length, open_from, after, depth)

    return ask


def _open_from(store: Store) -> int:
    """First slot that a state has not settled or planned [Unix s]; 0 of a new one."""
    end = json.loads(store.setting("run") or "{}").get(DATA_END)
    return parse_time(end) if end else 0
