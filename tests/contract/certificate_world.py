"""Certificates of a settlement's members: a slot's carbon as the engine commits it, or as nobody honest would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from tests.contract.world import DEPTH, GATEWAY, ON, OWNER, SECRET, SLOTS, STRANGER, Anchored, Forged, World
from tests.twins.certificates import CertificatesTwin, Shown
from transactive.carbon.certificates.records import bundle_rows, heads, posting_rows, record_hashes, rest_hash, rows_of
from transactive.chain.twins.certificate_disputes import Bundle
from transactive.core.certificates import CARBON, ENERGY, Certificates, Footprints, bundle_words
from transactive.core.postings import Postings
from transactive.core.proofs.leaves import Leaf, SlotLeaves, climb
from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.signed_orders import split
from transactive.core.proofs.slot_tree import SlotTree
from transactive.core.tables import Readings
from transactive.core.units import IntArray
from transactive.engine.books.carbon_leaves import carbon_leaves
from transactive.metering import gateway

MEMBERS, VALIDITY = 8, 10 * 86_400
HELD, STORED, CLAIMED = 1, 2, 3
FOREST = b"forest".ljust(32, b"\0")
PROJECT = b"solar".ljust(32, b"\0")
NOTHING = (0, 0, 0, 0, 0)
REGISTERS_OF = ((0, 800, 1000, 0, 0), (0, 300, 0, 0, 300), (700, 0, 0, 0, 0), (500, 0, 0, 0, 0), (0, 0, 50, 50, 0))
"""Import, export, generation, charge, discharge [Wh]: a home with PV, a battery, two homes, PV that charges."""
BUNDLES: tuple[Bundle, ...] = (
    (0, 0, 200, 0, CLAIMED, 9_000),
    (0, 200, 300, 2, CLAIMED, 13_500),
    (0, 500, 400, 3, HELD, 18_000),
    (0, 900, 100, 0, HELD, 4_500),
    (3, 0, 300, 2, CLAIMED, 15_001),
    (8, 0, 50, 4, STORED, 2_250),
)
"""What became of it: used at home, used by a neighbour, left with owners 3 and 0, from the battery, into a battery."""


@dataclass(frozen=True, slots=True)
class Records:
    """What stands behind each leaf of a slot's certificates, and its hash."""

    rests: list[bytes]
    rows: list[list[Bundle]]
    hashes: list[bytes]

    def record(self, index: int, rows: Sequence[Bundle] | None = None) -> tuple[bytes, list[int]]:
        """Argument of the contracts."""
        return self.rests[index], words(self.rows[index] if rows is None else rows)


def words(rows: Sequence[Bundle]) -> list[int]:
    """Bundles as the contracts take them."""
    packed = bundle_words(np.array(rows, np.int64).reshape(-1, 6))
    return [int.from_bytes(row.tobytes(), "big") for row in packed]


def readings_of(start: int, registers: Sequence[tuple[int, ...]] = REGISTERS_OF) -> Readings:
    """Readings of all members; those that are not named read nothing."""
    rows = np.array([*registers, *[NOTHING] * (MEMBERS - len(registers))], np.int64)
    return Readings(start, *rows.T)


def tables_of(readings: Readings, bundles: Sequence[Bundle]) -> tuple[Postings, Certificates, Footprints, IntArray]:
    """Tables of a slot in which nothing is posted; footprints are arbitrary. And each member's head."""
    none, zeros = np.zeros(0, np.int64), np.zeros(MEMBERS, np.int64)
    table = Certificates(readings.slot, *np.array(bundles, np.int64).reshape(-1, 6).T)
    footprints = Footprints(readings.slot, zeros + 7, zeros + 5, zeros, zeros, zeros, *[0] * 10)
    postings = Postings(readings.slot, none, none, none, none, none, none)
    return postings, table, footprints, heads(readings, footprints, zeros, zeros)


def records_of(readings: Readings, bundles: Sequence[Bundle]) -> Records:
    """Records of any bundles, right or wrong."""
    postings, table, _, head = tables_of(readings, bundles)
    named = [rows_of(bundle_rows(table), table.device // 2, table.owner, i).tolist() for i in range(MEMBERS)]
    rests = [rest_hash(head[i], posting_rows(postings)) for i in range(MEMBERS)]
    return Records(rests, [[tuple(row) for row in rows] for rows in named], record_hashes(head, postings, table))


def leaves_of(number: int, readings: Readings, bundles: Sequence[Bundle]) -> SlotLeaves:
    """What an engine commits of readings and bundles."""
    postings, table, footprints, _ = tables_of(readings, bundles)
    zeros = np.zeros(MEMBERS, np.int64)
    return carbon_leaves(number, readings, postings, table, footprints, (zeros, zeros))


def tree_of(number: int, readings: Readings, bundles: Sequence[Bundle] = BUNDLES) -> SlotTree:
    """The tree over it."""
    return SlotTree(leaves_of(number, readings, bundles), DEPTH, SECRET)


class CertificateWorld(World):
    """A settlement with its judges, certificates and credits. `carbon`: records of the last slot with certificates."""

    issued = 0
    """Slot that was issued directly."""

    def __init__(self, *, direct: bool) -> None:
        super().__init__(MEMBERS, 1000)
        client = self.client
        self.judge_of_certificates = client.deploy(OWNER, "certificate_disputes", self.disputes.address)
        self.certificates = client.deploy(OWNER, "certificates", self.c.address, direct, VALIDITY, 0)
        self.credits = client.deploy(OWNER, "carbon_credits", 200_000)
        client.send(OWNER, self.disputes, "setCertificateDisputes", self.judge_of_certificates.address)
        client.send(OWNER, self.credits, "registerProject", PROJECT, OWNER.address, not ON, "solar, DE")
        client.send(OWNER, self.credits, "registerProject", FOREST, OWNER.address, ON, "forest, DE")
        client.send(OWNER, self.certificates, "setCredits", self.credits.address)
        client.send(OWNER, self.credits, "setCertificates", self.certificates.address)
        client.send(OWNER, self.certificates, "enrol")
        client.block(client.head_timestamp + 1)
        self.anchored = Anchored(client)

    @classmethod
    def made(cls, *, direct: bool = False) -> CertificateWorld:
        """World as after deployment."""
        world = _world(direct)
        world.anchored.restore()
        world.begin()
        world.now = max(world.now, world.client.head_timestamp + 1)
        return world

    def twin(self, *, direct: bool = False) -> CertificatesTwin:
        """Twin of the contract as it was deployed."""
        twin = CertificatesTwin(
            owner=OWNER.address,
            gateway=GATEWAY.address.lower(),
            is_direct=direct,
            slot_seconds=self.read("slotSeconds"),
            slots_per_period=SLOTS,
            validity=VALIDITY,
            accounts=[key.address for key in self.members],
            own=("0x" + "00" * 20, self.certificates.address),
            credits=self.credits.address,
        )
        twin.enrol()
        return twin

    # -- rooted

    def commit_carbon(
        self,
        bundles: Sequence[Bundle] = BUNDLES,
        *,
        leaves: dict[int, Leaf] | None = None,
        places: dict[int, tuple[bytes, int, int]] | None = None,
        lies: dict[tuple[int, int], tuple[int, int]] | None = None,
        registers: Sequence[tuple[int, ...]] = REGISTERS_OF,
        own_places: dict[int, tuple[bytes, int, int]] | None = None,
    ) -> None:
        """Commit a slot with its certificates; the settlement's own leaves say the honest thing, but for own_places."""
        readings = readings_of(self.slot * self.read("slotSeconds"), registers)
        for i in range(MEMBERS):
            issued = sum(b[2] for b in BUNDLES if b[0] // 2 == i)
            produced = int(readings.generation_wh[i] + readings.discharge_wh[i])
            for lane, wh in enumerate((int(readings.import_wh[i]), int(readings.export_wh[i]), produced, issued)):
                self.book.add(i, lane, wh, energy=True)
        self.carbon = records_of(readings, bundles)
        honest = tree_of(self.slot, readings, bundles)
        self.carbon_tree: SlotTree | Forged = (
            Forged(honest, places, lies, leaves) if places or leaves or lies else honest
        )
        self.readings = readings
        own = Forged(self.book.tree(self.slot), own_places) if own_places else None
        self.commit(own, certificates=self.carbon_tree.root)

    def finish(self) -> None:
        """Net and settle the period; the openings of its slots are still the same."""
        self.propose()
        opening = self.opening(0)
        self.finalise()
        self.final = opening

    def forged(self, index: int, **lanes: int) -> Leaf:
        """A leaf of the next slot's certificates whose sums say something else."""
        readings = readings_of(self.slot * self.read("slotSeconds"))
        leaf = tree_of(self.slot, readings).leaf(index)
        energy, carbon = ENERGY.unpack(leaf.money), CARBON.unpack(leaf.energy)
        energy |= {name: wh for name, wh in lanes.items() if name in energy}
        carbon |= {name: wh for name, wh in lanes.items() if name in carbon}
        packed = ENERGY.pack(list(energy.values())), CARBON.pack(list(carbon.values()))
        return replace(leaf, money=packed[0], energy=packed[1])

    def carbon_shown(self, index: int, *, leaf: Leaf | None = None, blank: bool = False) -> tuple[Any, ...]:
        """A member's leaf of certificates, as the contracts want it."""
        tree = self.carbon_tree
        return index, blank, (leaf or tree.leaf(min(index, MEMBERS - 1))).content, tree.proof(index)

    def told(self, index: int, rows: Sequence[Bundle] | None = None) -> Shown:
        """The same for the twin."""
        leaf = self.carbon_tree.leaf(index)
        _, money, energy, consistent = climb(leaf, index, self.carbon_tree.proof(index))
        assert consistent
        sums = ENERGY.unpack(money)
        assert sums["claimed_wh"] == CARBON.unpack(energy)["received_wh"]
        left = sums["issued_wh"] - sums["claimed_wh"]
        return Shown(self.slot_of_final, leaf, self.carbon.rows[index] if rows is None else rows, left)

    @property
    def slot_of_final(self) -> int:
        """Slot of the period that was settled last."""
        return self.final.commitment.slot

    def evidence(self, function: str, *arguments: Any, sender: Any = STRANGER) -> None:
        """Bring evidence of wrong certificates."""
        self.do(sender, function, *arguments, contract=self.judge_of_certificates)

    def release(self, index: int, *, opening: Any = None, rows: Sequence[Bundle] | None = None) -> None:
        """Let a leaf of the settled slot leave."""
        shown = self.carbon_shown(index)
        arguments = ((opening or self.final).content, shown, self.carbon.record(index, rows))
        self.act(STRANGER, "release", *arguments)

    # -- tokens

    def act(self, sender: Any, function: str, *arguments: Any) -> None:
        """Call the contract of certificates."""
        self.do(sender, function, *arguments, contract=self.certificates)

    def held(self, index: int, token: int) -> int:
        """Wh of a token that a member has."""
        return int(self.client.read(self.certificates, "balanceOf", self.members[index].address, token))

    def certificate(self, function: str, *arguments: Any) -> Any:
        """Read the contract of certificates."""
        return self.client.read(self.certificates, function, *arguments)

    # -- direct

    def issue_arguments(
        self,
        slot: int,
        registers: Sequence[tuple[int, ...]] = REGISTERS_OF,
        *,
        key: Any = GATEWAY,
        spared: int = 0,
        contract: str | None = None,
    ) -> tuple[Any, ...]:
        """Arguments of a direct issue."""
        packed = [REGISTERS.pack(row) for row in registers]
        where = self.client.chain_id, contract or self.certificates.address
        signature = gateway.sign_issue(slot, packed, spared, bytes(key.key), *where)
        return slot, packed, [key.address for key in self.members], spared, split(signature)


@cache
def _world(direct: bool) -> CertificateWorld:
    return CertificateWorld(direct=direct)
