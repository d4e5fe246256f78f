"""`transactive chain prove`: a member's leaf of a slot, rebuilt from the books and compared with the chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.cli.chain_options import keys_of
from transactive.core.accounts import NAMED
from transactive.core.errors import InputError, StateError
from transactive.core.proofs.leaves import ENERGY, MONEY, Leaf, climb
from transactive.core.proofs.signed_orders import Fills
from transactive.core.slots import parse_time, time_text
from transactive.core.units import money_text
from transactive.store import FILE as STORE_FILE

NO_FILLS = Fills()

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.disputes.leaf_file import LeafFile, PlacedFile
    from transactive.chain.history import Opening
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient
    from transactive.core.community.community import Community
    from transactive.engine.books.rebuilt import SlotBooks
    from transactive.store import Store


def run_prove(
    state: Path, account: str, slot: str, *, node: str | None, keys: Path | None, password_file: Path | None
) -> tuple[dict[str, Any], LeafFile]:
    """Facts of a leaf that the chain has, and the file for its member. Raises StateError where books and chain differ.

    Needs the operator's key, because salts and blinding follow from it.
    """
    from transactive.engine.books.rebuilt import books_at

    start = parse_time(slot)
    with run_of(state, node, keys, password_file) as run:
        made = prove(run, books_at(run.store, run.community, start), run.known.index(account))
    community = run.community
    clock = community.clock
    facts = {"account": account, "slot": time_text(start), "period": clock.period(start)}
    return facts | facts_of(made.stated, community.currency) | {"steps": len(made.proof), "on_chain": True}, made


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run with its chain, opened with the operator's keys."""

    store: Store
    community: Community
    known: Deployment
    client: ChainClient
    ledger: ChainLedger

    def opening(self, number: int) -> Opening:
        """The commitment of a slot that counts. Raises StateError without one."""
        from transactive.chain.history import opening

        made = self.ledger.commitments()
        places = [k for k, one in enumerate(made) if one.slot == number]
        if not places:
            raise StateError(f"slot {number} is not committed on chain {self.client.chain_id}; wait for its commitment")
        settlement = self.client.contract("settlement", self.ledger.address)
        shown = opening(made, places[-1], int(self.client.read(settlement, "slotsPerPeriod")))
        if not self.client.read(settlement, "isCommitted", shown.content):
            raise StateError(f"slot {number}: the contract does not confirm the commitment; read the chain again")
        return shown


@contextmanager
def run_of(state: Path, node: str | None, keys: Path | None, password_file: Path | None) -> Iterator[OpenedRun]:
    """Open the run in a state folder. Raises StateError, InputError, ChainError."""
    if not (state / STORE_FILE).exists():
        raise StateError(f"{state}: holds no run; give the --state folder of `run` or `demo`")
    from transactive.chain.deployments.deployment import FILE, load
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient
    from transactive.engine.books.rebuilt import community_of
    from transactive.store import Store

    with closing(Store(state)) as store:
        community, known = community_of(store), load(state / FILE)
        seed = json.loads(store.setting("run") or "{}").get("seed", "transactive")
        signers = keys_of(keys, password_file, known.accounts[: -len(NAMED)])
        with closing(ChainClient.open(node or f"embedded:{state}")) as client:
            known.check(client)
            client.first_block = known.block
            ledger = ChainLedger.attach(client, signers or DemoKeys(seed), known.address("settlement"))
            yield OpenedRun(store, community, known, client, ledger)


def prove(run: OpenedRun, books: SlotBooks, index: int) -> LeafFile:
    """Leaf of an account with its proof, as the chain has it. Raises StateError where it has another."""
    from transactive.chain.disputes.leaf_file import leaf_file

    number, ledger = books.leaves.slot, run.ledger
    shown = run.opening(number)
    tree = ledger.tree(books.leaves)
    leaf, proof = tree.leaf(index), tree.proof(index)
    found = climb(leaf, index, proof)
    committed = shown.commitment
    if found != (committed.root, committed.money, committed.energy, True):
        raise StateError(
            f"slot {number}: the books lead to root {found[0].hex()[:16]}…, the chain has {committed.root.hex()[:16]}…;"
            " something else was committed, or with another key"
        )
    orders = [(one.signed, one.receipt) for one in books.accepted if one.signed.order.account == index]
    fills = books.fills[index] if index < len(books.fills) else NO_FILLS
    return leaf_file(run.client.chain_id, ledger.address, index, leaf, proof, shown, orders, fills)


def facts_of(leaf: Leaf, currency: str) -> dict[str, Any]:
    """What a leaf says, in words."""
    facts: dict[str, Any] = {}
    for title, money, energy in (
        ("running_totals", leaf.money, leaf.energy),
        ("this_slot", leaf.slot_money, leaf.slot_energy),
    ):
        sums = MONEY.unpack(money) | ENERGY.unpack(energy)
        facts[title] = {
            name.removesuffix("_n"): money_text(value, currency) if name.endswith("_n") else value
            for name, value in sums.items()
        }
    return facts | {"orders": "0x" + leaf.orders.hex(), "salt": "0x" + leaf.salt.hex(), "hash": "0x" + leaf.hash.hex()}


def write(made: PlacedFile, path: Path) -> None:
    """Write a member's file; an existing one is not replaced. Raises InputError."""
    import msgspec

    try:
        with path.open("xb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    except OSError as error:
        raise InputError(f"--output {path}: {error.strerror}; name a new file in a folder that is there") from None
