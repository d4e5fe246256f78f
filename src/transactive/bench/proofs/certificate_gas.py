"""Gas of certificates on chain: a root for a whole slot, direct issues and claims in batches, leaving, evidence.

Real transactions on an embedded chain. The reference is ERC-1888's own contract (Energy Web Origin, compiled with solc
0.8.4 and run on the same EVM): 447,235 gas a certificate issued in a batch of 50, 84,369 for one that is transferred
and claimed in a batch of 50; its `batchIssue` always reverts, so that its other batch function was taken. It keeps
metadata on chain, and compares nothing with meters.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from transactive.bench.proofs.chain import gas
from transactive.bench.report import Row
from transactive.carbon.certificates.records import bundle_rows, heads, posting_rows, rest_hash, rows_of
from transactive.chain.ledgers.deploying import deploy_settlement
from transactive.core.certificates import Certificates, CertificateState, Footprints
from transactive.core.postings import Postings
from transactive.core.proofs.leaves import MAX_DEPTH, SlotLeaves
from transactive.core.proofs.merkle import REGISTERS, ZERO
from transactive.core.proofs.slot_tree import SlotTree
from transactive.core.tables import Readings
from transactive.core.units import IntArray
from transactive.engine.books.carbon_leaves import carbon_leaves

if TYPE_CHECKING:
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient

REFERENCE = "ERC-1888 contract (Energy Web Origin)"
ISSUE_GAS, CLAIM_GAS = 447_235, 84_369
HOUR, DAY, WINDOW, SLOTS_A_DAY = 3_600, 86_400, 1_800, 24
START = 17_000 * DAY
BATCH = 50
SIZES = ((1_000, 40), (100_000, 4_000))
"""Bundles in a slot, and the members whose devices made them."""
VALID = 730 * DAY


def certificate_rows() -> Iterator[Row]:
    """All figures [gas], gas a bundle where there are many."""
    yield from rooted_rows()
    yield from direct_rows()


# -- by root ----------------------------------------------------------------------------------------------------


def rooted_rows() -> Iterator[Row]:
    """A day's commitments with so many bundles; then leaves that leave, and one that is challenged."""
    from transactive.chain.keys.keys import DemoKeys

    keys = DemoKeys("bench")
    with closing(_client(keys, BATCH)) as client:
        ledger = _ledger(client, keys, BATCH)
        for bundles, members in SIZES:
            used = _day(ledger, START // DAY + (bundles > 1_000), _root(bundles, members))
            yield gas(f"certificates by root, a bundle of {bundles:,} a slot", used / bundles, REFERENCE, ISSUE_GAS)
        yield from _leaving(client, keys, ledger)


def _day(ledger: ChainLedger, day: int, root: bytes) -> float:
    """Mean gas of a day's slot commits with this root of certificates."""
    before = len(ledger.gas_slot_commits)
    for slot in range(day * SLOTS_A_DAY, (day + 1) * SLOTS_A_DAY):
        ledger.commit_slot(_nothing(slot, BATCH), root)
        ledger.block((slot + 1) * HOUR)
    return float(np.mean(ledger.gas_slot_commits[before:]))


def _root(bundles: int, members: int) -> bytes:
    """Root of a slot in which every member made as many bundles, each claimed by another one."""
    readings, table = _slot_of(START, bundles, members, CertificateState.CLAIMED)
    return SlotTree(_leaves(0, readings, table), MAX_DEPTH, b"bench").root


def _slot_of(start: int, bundles: int, members: int, state: CertificateState) -> tuple[Readings, Certificates]:
    """Bundles of 10 Wh: device 2i makes its members' share of them, the member after it has them."""
    each = bundles // members
    device, place = np.divmod(np.arange(bundles, dtype=np.int64), each)
    ten, none = np.full(bundles, 10, np.int64), np.zeros(members, np.int64)
    owner = (device + 1 + place % 7) % members
    table = Certificates(start, 2 * device, 10 * place, ten, owner, np.full(bundles, int(state), np.int64), 45 * ten)
    made = none + 10 * each
    return Readings(start, made * 9, made, made, none, none), table


def _leaves(number: int, readings: Readings, table: Certificates) -> SlotLeaves:
    """What a slot commits of certificates."""
    postings, footprints, zeros = _carbon(readings)
    return carbon_leaves(number, readings, postings, table, footprints, (zeros, zeros))


def _carbon(readings: Readings) -> tuple[Postings, Footprints, IntArray]:
    """Nothing posted, and no carbon."""
    zeros, none = np.zeros_like(readings.import_wh), np.zeros(0, np.int64)
    footprints = Footprints(readings.slot, zeros, zeros, zeros, zeros, zeros, *[0] * 10)
    return Postings(readings.slot, none, none, none, none, none, none), footprints, zeros


def _nothing(slot: int, members: int) -> SlotLeaves:
    """Leaves of the settlement of a slot without trades."""
    zeros, none = np.zeros((members, 4), np.int64), [ZERO] * members
    return SlotLeaves(slot, zeros, zeros, zeros, zeros, none, none)


def _leaving(client: ChainClient, keys: DemoKeys, ledger: ChainLedger) -> Iterator[Row]:
    """A leaf of one bundle that leaves after its period, beside others; and one that is challenged before."""
    from transactive.chain.disputes.evidence import record, shown
    from transactive.chain.history import opening

    first = (START // DAY + 2) * SLOTS_A_DAY
    readings, table = _slot_of(first * HOUR, BATCH, BATCH, CertificateState.HELD)
    leaves = _leaves(first, readings, table)
    leaves.money[0, 0] -= 1  # less metered than issued
    tree = ledger.carbon_tree(leaves)
    ledger.commit_slot(_nothing(first, BATCH), tree.root)
    ledger.block((first + 1) * HOUR)
    disputes = client.contract("disputes", ledger.disputes_address)
    judge = client.contract("certificate_disputes", client.read(disputes, "certificateDisputes"))
    said = opening(ledger.commitments(), -1 % len(ledger.commitments()), SLOTS_A_DAY)
    client.send(keys.account(1), judge, "challengeLeaf", said.content, shown(0, tree.leaf(0), tree.proof(0)))
    yield gas("certificates, challenge of a leaf", client.block(client.head_timestamp + 1).receipts[0].gas_used)
    leaves.money[0, 0] += 1
    tree = ledger.carbon_tree(leaves)
    ledger.commit_slot(_nothing(first, BATCH), tree.root, attempt=1)
    ledger.block(client.head_timestamp + 1)
    said = opening(ledger.commitments(), len(ledger.commitments()) - 1, SLOTS_A_DAY)
    for period in range(START // DAY, START // DAY + 3):
        ledger.propose(period, [0] * BATCH)
        ledger.block(max(client.head_timestamp + 1, (period + 1) * DAY))
        ledger.finalise(period)
        ledger.block(client.head_timestamp + WINDOW)
    postings, footprints, zeros = _carbon(readings)
    head = heads(readings, footprints, zeros, zeros)
    contract = client.contract("certificates", str(ledger.certificates_address))
    for index, name in ((0, "first of a slot"), (1, "next")):
        rows = rows_of(bundle_rows(table), table.device // 2, table.owner, index)
        told = record(rest_hash(head[index], posting_rows(postings)), rows.tolist())
        leaf = shown(index, tree.leaf(index), tree.proof(index))
        client.send(keys.account(1), contract, "release", said.content, leaf, told)
        used = client.block(client.head_timestamp + 1).receipts[0].gas_used
        yield gas(f"certificates, a leaf of {BATCH} that leaves, {name}", used)


# -- directly ---------------------------------------------------------------------------------------------------


def direct_rows() -> Iterator[Row]:
    """A small community's slots issued from signed readings, and a batch of one member's claims."""
    from transactive.chain.keys.keys import DemoKeys
    from transactive.core.proofs.signed_orders import split
    from transactive.metering import gateway

    keys, rng = DemoKeys("bench"), np.random.default_rng(1)
    with closing(_client(keys, BATCH)) as client:
        ledger = _ledger(client, keys, BATCH)
        member, accounts = keys.account(0), [keys.account(i).address for i in range(BATCH)]
        direct = client.deploy(keys.role("owner"), "certificates", ledger.address, *(True, VALID, 0))
        client.send(member, direct, "enrol")
        client.block(START - HOUR)
        used: list[int] = []
        wh: list[tuple[int, int]] = []
        for slot in range(START // HOUR, START // HOUR + BATCH):
            columns = [rng.integers(100, 900, BATCH), rng.integers(100, 900, BATCH), rng.integers(1_000, 2_500, BATCH)]
            rows = [REGISTERS.pack((int(a), int(b), int(c), 0, 0)) for a, b, c in zip(*columns, strict=True)]
            signed = gateway.sign_issue(slot, rows, 0, bytes(keys.role("gateway").key), client.chain_id, direct.address)
            client.send(member, direct, "issue", slot, rows, accounts, 0, split(signed))
            used.append(client.block((slot + 1) * HOUR).receipts[0].gas_used)
            wh.append((slot << 64, int(columns[2][0] - columns[1][0])))
        yield gas(f"direct issue, a bundle of {BATCH}", used[-1] / BATCH, REFERENCE, ISSUE_GAS)
        ids, amounts = [token for token, _ in wh], [most for _, most in wh]
        client.send(member, direct, "claim", 0, b"\1" * 32, ids, amounts)
        claimed = client.block(client.head_timestamp + 1).receipts[0].gas_used
        yield gas(f"batch claim, a bundle of {BATCH}", claimed / BATCH, REFERENCE, CLAIM_GAS)


def _client(keys: DemoKeys, accounts: int) -> ChainClient:
    """A new chain."""
    from transactive.chain.nodes.client import ChainClient

    return ChainClient.open("embedded::memory:", alloc=keys.addresses(accounts))


def _ledger(client: ChainClient, keys: DemoKeys, accounts: int, **rules: Any) -> ChainLedger:  # noqa: ANN401
    """A community's contracts."""
    return deploy_settlement(
        client,
        keys,
        accounts=accounts,
        slot_seconds=HOUR,
        slots_per_period=SLOTS_A_DAY,
        window=WINDOW,
        timestamp=START - DAY,
        currency_name="Local Energy",
        currency_symbol="LEN",
        **rules,
    )
