"""What `transactive chain certificates` and `chain exit` do: prove a member's certificates, and let them leave."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transactive.carbon.certificates.handover import is_elsewhere, leave
from transactive.carbon.certificates.lifecycle import State
from transactive.carbon.certificates.records import ELSEWHERE, with_rest
from transactive.chain.nodes.urls import embedded_path, existing_path, is_embedded
from transactive.cli.chain.prove import run_of
from transactive.core.certificates import CARBON, ENERGY, CertificateState
from transactive.core.errors import CertificateError, InputError, StateError
from transactive.core.proofs.leaves import climb
from transactive.core.slots import parse_time, time_text
from transactive.store import holds_state

if TYPE_CHECKING:
    from transactive.chain.disputes.leaf_file import CertificateFile
    from transactive.chain.nodes.client import ChainClient

HELD = CertificateState.HELD


def run_certificates(
    state: Path, member: str, slot: str, *, node: str | None, keys: Path | None, password_file: Path | None
) -> tuple[dict[str, Any], CertificateFile]:
    """Facts of a leaf of certificates that the chain has, and the file for its member. Raises StateError, InputError.

    Needs the operator's key, because salts and blinding follow from it.
    """
    from transactive.chain.disputes.leaf_file import certificate_file
    from transactive.engine.accounts.contracts import where_said
    from transactive.engine.books.carbon_leaves import carbon_leaves_of, member_record
    from transactive.engine.books.slot_book import read_slot

    start = parse_time(slot)
    with run_of(state, node, keys, password_file, start) as run:
        if member not in run.community.ids:
            raise InputError(f"--member {member}: not in this community; it has {', '.join(run.community.ids)}")
        number, index = run.community.clock.number(start), run.community.ids.index(member)
        book, part = read_slot(run.store, run.community, start), run.known.part(member)
        ledger, leaves, place = run.carbon(carbon_leaves_of(book, number, run.community), index)
        shown, tree = run.opening(number, ledger), ledger.carbon_tree(leaves)
        leaf, proof = tree.leaf(place), tree.proof(place)
        if climb(leaf, place, proof)[0] != shown.commitment.certificates:
            raise StateError(
                f"slot {number}: the books lead to other certificates than were committed, or another key did"
            )
        rest, rows = member_record(book, index, run.community)
        placed = (run.client.chain_id, ledger.address, place, leaf, proof, shown)
        corrected = None if book.corrections is None else book.corrections.placed(index, place)
        made = certificate_file(*placed, part.address("certificates"), rest, rows.tolist(), corrected)
        final = run.community.clock.period(start) <= ledger.settled_period
        facts: dict[str, Any] = {"member": member, "slot": time_text(start), "final": final}
        facts |= where_said(run.store, start)
        return facts | facts_of(made, part.accounts), made


def hand_over(state: Path, member: str, file: CertificateFile) -> None:
    """End the bundles of a member that can leave in the register of the run: then they live on chain, and only there.

    Raises CertificateError if somebody took another step with one of them; what was handed over before stays so.
    """
    from transactive.services.certificates import certificate_service

    with certificate_service(state) as service:
        clock, names = service.community.clock, service.community.device_ids
        slot = file.stated.slot * clock.length
        first_device = 2 * (service.community.ids.index(member) - file.index)  # of the member's settlement
        serials = [
            f"{names[first_device + d]}/{time_text(slot)}/{first}-{first + wh - 1}" for d, first, wh, *_ in _held(file)
        ]
        register = service.register(slot)
        known = register.bundles
        if taken := next((serial for serial in serials if is_elsewhere(register, serial)), None):
            raise CertificateError(
                f"{taken} is another register's, handed over or in a file; it can leave there alone", "state"
            )
        gone = [serial for serial in serials if serial in known and known[serial].state == State.EXPORTED]
        rest = [serial for serial in serials if serial not in gone]
        service.act(rest, lambda register, serial: [leave(register, serial)])


def _held(file: CertificateFile) -> list[tuple[int, int, int, int, int, int]]:
    """Bundles of the member's own devices that nobody used in their slot, and whose owner is in its settlement."""
    mine = (bundle for bundle in file.bundles if bundle[4] == HELD and bundle[0] // 2 == file.index)
    return [bundle for bundle in mine if bundle[3] < ELSEWHERE]


def facts_of(file: CertificateFile, accounts: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a leaf of certificates says, and which bundles would leave."""
    leaf = file.stated
    leaving = [f"{first}-{first + wh - 1} Wh to {_name(owner, accounts)}" for _, first, wh, owner, *_ in _held(file)]
    energy, carbon = ENERGY.unpack(leaf.money), CARBON.unpack(leaf.energy)
    return energy | {"received_wh": carbon["received_wh"], "bundles": len(file.bundles), "leaving": leaving}


def run_exit(
    path: Path, *, node: str, account: str | None, keys: Path | None, password_file: Path | None, seed: str
) -> dict[str, Any]:
    """Say what of a file can leave; with `account`, let it leave. Raises InputError, StateError, ContractRevert."""
    from transactive.chain.disputes.findings import on_chain
    from transactive.chain.disputes.leaf_file import CertificateFile, load
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.twins.certificate_disputes import tally
    from transactive.cli.chain.challenge import key_of

    file = load(path, CertificateFile)
    if is_embedded(node):
        existing_path(node)
    with closing(ChainClient.open(node)) as client:
        on_chain(client, file, file.opening.commitment.certificates)
        rows, found = np.array(file.bundles, np.int64).reshape(-1, 6), tally(file.index, file.bundles)
        if with_rest(file.record[0], rows) != file.stated.fills or not found.fits(file.stated):
            raise InputError(f"{path}: the bundles are not those of the leaf; ask the operator for them")
        facts: dict[str, Any] = {"slot": file.stated.slot} | facts_of(file)
        facts["leaving_wh"] = sum(wh for _, _, wh, *_ in _held(file))
        if account is None:
            return facts | {"sent": None}
        if is_embedded(node) and holds_state(Path(embedded_path(node)).parent):
            raise StateError(
                f"{node}: belongs to a run, whose books would differ from the chain then; `chain replay --to` copies it"
            )
        sender = key_of(client, account, keys, password_file, seed)
        contract = client.contract("certificates", file.certificates)
        shown = (file.index, False, file.stated.content, file.steps)
        client.send(sender, contract, "release", file.opening.content, shown, file.record)
        return facts | {"sent": _sent(client, file)}


def _sent(client: ChainClient, file: CertificateFile) -> dict[str, Any]:
    """Mine, and say which tokens there are now."""
    from transactive.cli.chain.signing import time_of_step

    contract = client.contract("certificates", file.certificates)
    settlement = client.contract("settlement", file.settlement)
    receipt = client.block(time_of_step(client)).receipts[-1]
    tokens = []
    zone = int(client.read(contract, "books", file.stated.slot, file.index)) >> 208 & 255
    for device, _, _, owner, *_ in _held(file):
        token, holder = zone << 192 | file.stated.slot << 64 | device, client.read(settlement, "accountOf", owner)
        balance = int(client.read(contract, "balanceOf", holder, token))
        if (line := f"{token}: {balance} Wh of {holder}") not in tokens:
            tokens.append(line)
    return {"block": receipt.block, "gas": receipt.gas_used, "tokens": tokens}


def _name(owner: int, accounts: tuple[str, ...]) -> str:
    """An account by name, if names are known."""
    return accounts[owner] if owner < len(accounts) else f"account {owner}"
