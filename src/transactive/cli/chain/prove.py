"""`transactive chain prove`: a member's leaf of a slot, rebuilt from the books and compared with the chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from transactive.cli.chain_options import keys_of
from transactive.core.accounts import NAMED
from transactive.core.errors import InputError, StateError
from transactive.core.proofs.groups import carbon_of_group
from transactive.core.proofs.leaves import ENERGY, MONEY, Leaf, climb
from transactive.core.proofs.signed_orders import Fills
from transactive.core.slots import parse_time, time_text
from transactive.core.units import money_text
from transactive.store import holds_state

NO_FILLS = Fills()

if TYPE_CHECKING:
    from transactive.chain.commitments import Opening
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.disputes.leaf_file import LeafFile, PlacedFile
    from transactive.chain.ledgers.groups.ledger import GroupedLedger
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient
    from transactive.core.community.community import Community
    from transactive.core.proofs.leaves import SlotLeaves
    from transactive.engine.books.rebuilt import SlotBooks
    from transactive.store import Store


def run_prove(
    state: Path, account: str, slot: str, *, node: str | None, keys: Path | None, password_file: Path | None
) -> tuple[dict[str, Any], LeafFile]:
    """Facts of a leaf that the chain has, and the file for its member. Raises StateError where books and chain differ.

    Needs the operator's key, because salts and blinding follow from it.
    """
    from transactive.engine.accounts.contracts import where_said
    from transactive.engine.books.rebuilt import books_at

    start = parse_time(slot)
    with run_of(state, node, keys, password_file, start) as run:
        made, of_group = prove(run, books_at(run.store, run.community, start), run.known.index(account))
        of_group |= where_said(run.store, start)
    community = run.community
    clock = community.clock
    facts = {"account": account, "slot": time_text(start), "period": clock.period(start)}
    facts |= facts_of(made.stated, community.currency) | {"steps": len(made.proof), "on_chain": True}
    return facts | of_group, made


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run with its chain, opened with the operator's keys: community and contracts are those of one of its slots."""

    store: Store
    community: Community
    known: Deployment
    client: ChainClient
    ledger: ChainLedger | GroupedLedger

    def carbon(self, leaves: SlotLeaves, index: int) -> tuple[ChainLedger, SlotLeaves, int]:
        """Ledger of a member, leaves of carbon that it commits, and the member's place. leaves: of the community."""
        from transactive.chain.ledgers.groups.ledger import GroupedLedger

        if not isinstance(self.ledger, GroupedLedger):
            return self.ledger, leaves, index
        number, place = self.ledger.group_of(index)
        group = self.ledger.groups[number]
        return group.ledger, carbon_of_group(leaves, group.members), place

    def opening(self, number: int, ledger: ChainLedger) -> Opening:
        """The commitment of a slot that counts, in one settlement. Raises StateError without one."""
        from transactive.chain.history import opening

        made = ledger.commitments()
        places = [k for k, one in enumerate(made) if one.slot == number]
        if not places:
            raise StateError(f"slot {number} is not committed on chain {self.client.chain_id}; wait for its commitment")
        settlement = self.client.contract("settlement", ledger.address)
        shown = opening(made, places[-1], int(self.client.read(settlement, "slotsPerPeriod")))
        if not self.client.read(settlement, "isCommitted", shown.content):
            raise StateError(f"slot {number}: the contract does not confirm the commitment; read the chain again")
        return shown


@contextmanager
def run_of(
    state: Path, node: str | None, keys: Path | None, password_file: Path | None, slot: int
) -> Iterator[OpenedRun]:
    """Open the run in a state folder, as it was in a slot [Unix s]. Raises StateError, InputError, ChainError."""
    if not holds_state(state):
        raise StateError(f"{state}: holds no run; give the --state folder of `run` or `demo`")
    from transactive.chain.deployments.deployment import attach
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.nodes.client import ChainClient
    from transactive.engine.accounts.contracts import deployment_at
    from transactive.engine.books.rebuilt import at_the_time, community_of
    from transactive.store import Store

    with closing(Store(state)) as store:
        community, _ = at_the_time(store, community_of(store), slot)
        known = deployment_at(store, slot)
        seed = json.loads(store.setting("run") or "{}").get("seed", "transactive")
        signers = keys_of(keys, password_file, known.accounts[: -len(NAMED)])
        with closing(ChainClient.open(node or f"embedded:{state}")) as client:
            known.check(client)
            client.first_block = known.block
            ledger = attach(client, signers or DemoKeys(seed), community, known.address("settlement"))
            yield OpenedRun(store.as_of(len(community.members)), community, known, client, ledger)


def prove(run: OpenedRun, books: SlotBooks, index: int) -> tuple[LeafFile, dict[str, Any]]:
    """Leaf of an account with its proof, as the chain has it, and what is to say of its group.

    Raises StateError where the chain has another.
    """
    from transactive.chain.ledgers.groups.ledger import GroupedLedger

    if not isinstance(run.ledger, GroupedLedger):
        return _prove(run, books, index, run.ledger, (books.leaves, index)), {}
    from transactive.services.group_proofs import of_member, of_named

    if index >= len(run.community.members):
        placed = of_named(run.ledger, books.leaves, index)
        return _prove(run, books, index, run.ledger.whole, placed), {"settlement": "the whole"}
    ledger, placed, nested, facts = of_member(run.store, run.community, run.ledger, books.leaves, index)
    made = _prove(run, books, index, ledger, placed)
    return msgspec.structs.replace(made, whole=nested), facts


def _prove(
    run: OpenedRun, books: SlotBooks, index: int, ledger: ChainLedger, placed: tuple[SlotLeaves, int]
) -> LeafFile:
    """Leaf of an account in one settlement. placed: leaves of the settlement, and the account's place among them."""
    from transactive.chain.disputes.leaf_file import leaf_file
    from transactive.core.proofs.signed_orders import placed as placed_order

    number, (leaves, place) = books.leaves.slot, placed
    shown = run.opening(number, ledger)
    tree = ledger.tree(leaves)
    leaf, proof = tree.leaf(place), tree.proof(place)
    found = climb(leaf, place, proof)
    committed = shown.commitment
    if found != (committed.root, committed.money, committed.energy, True):
        raise StateError(
            f"slot {number}: the books lead to root {found[0].hex()[:16]}…, the chain has {committed.root.hex()[:16]}…;"
            " something else was committed, or with another key"
        )
    accepted = [one for one in books.accepted if one.signed.order.account == index]
    orders = [(placed_order(one.signed, place), one.receipt) for one in accepted]
    fills = books.fills[index] if index < len(books.fills) else NO_FILLS
    return leaf_file(run.client.chain_id, ledger.address, place, leaf, proof, shown, orders, fills)


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
    try:
        with path.open("xb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    except OSError as error:
        raise InputError(f"--output {path}: {error.strerror}; name a new file in a folder that is there") from None
