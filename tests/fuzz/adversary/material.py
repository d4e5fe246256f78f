"""Arguments for any entry point, by their names and types, from what everybody or a dishonest person has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fuzz.adversary.commits import Committed
from tests.fuzz.adversary.drawing import by_type, names_of
from tests.fuzz.adversary.slots import MEMBERS, Seen, SignedReadings, receipt_words, seen
from tests.fuzz.adversary.stage import some_bytes
from tests.fuzz.adversary.terms import PERIOD, PLACES, SLOT, SLOTS
from tests.fuzz.bound import Bound
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.receipts import OrderReceipt
from transactive.core.proofs.signed_orders import Fills, split

if TYPE_CHECKING:
    from tests.fuzz.adversary.community import Community

_NO_COMMITMENT = Commitment(0, ZERO, ZERO, 0, 0, 0)


class Material:
    """Draws arguments; those of one call mostly belong together."""

    def __init__(self, community: Community) -> None:
        self.w, self.rng = community, community.rng
        self.names = {name: names_of(c.name) for name, c in community.bounds.items()}
        offices = [person.address for person in (*community.gateways, *community.operators)]
        self.addresses = [*community.people, community.c.address, *3 * offices[:2], *3 * offices[5:7]]
        """Whom an argument may name; often who has or may have an office."""
        self.record: Committed | None = None
        self.index = 0
        self.permit: Any = None
        self.received = Seen(0, split(bytes(65)), "")

    def subject(self) -> None:
        """What the next call is about: a commitment, an account, a permit."""
        w, rng = self.w, self.rng
        newest = w.all[-12:]
        self.record = rng.choice(newest) if newest else None
        if w.proposal and rng.random() < 0.5 and w.chains.get(w.proposal.period):
            self.record = w.chains[w.proposal.period][-1]
        self.index = rng.choice([0, rng.randrange(w.count), rng.randrange(PLACES)])
        self.permit = rng.choice(w.money.permits[-3:]) if w.money.permits else None

    def arguments(self, on: Bound, function: str) -> list[Any]:
        """Arguments of a function."""
        if "permit" in function.lower() and self.permit:
            account = self.w.members[self.permit.member].address
            spender = [self.w.c.address] if function == "permit" else []
            return [account, *spender, *self.permit.words]
        carbon = on.name in ("certificate_disputes", "certificates")
        pairs = zip(self.names[on.name][function], on.functions[function].takes, strict=True)
        return [self.one(name, kind, carbon=carbon) for name, kind in pairs]

    def one(self, name: str, kind: str, *, carbon: bool) -> Any:
        """One argument."""
        if kind.endswith("]") and name in ("ids", "amounts"):
            return [self.one(name[:-1], kind[:-2], carbon=carbon)]
        special = getattr(self, f"_{name}", None)
        found = special(carbon=carbon, kind=kind) if special else None
        return self.plain(name, kind) if found is None else found

    def plain(self, name: str, kind: str) -> Any:
        """By type alone, but for what has a number."""
        slot = self.w.now // SLOT - self.rng.randrange(3)
        near = {"slot": slot, "period": slot // SLOTS, "index": self.index, "member": self.index, "owner": self.index}
        if kind == "uint256" and name in near:
            return near[name]
        return by_type(self.rng, kind, self.addresses)

    # -- by name: everything takes `carbon`, whether the judge of certificates asks, and the type

    def other(self) -> Committed | None:
        """Another commitment, now and then."""
        return self.rng.choice(self.w.all[-12:]) if self.w.all and self.rng.random() < 0.1 else self.record

    def _opening(self, **_: Any) -> Any:
        record = self.other()
        return self.w.opening(record).content if record else Opening(ZERO, _NO_COMMITMENT, ()).content

    def _before(self, *, kind: str, **_: Any) -> Any:
        if kind == "bytes32":
            return None
        record = self.record.before if self.record and self.record.before else self.other()
        return self.w.opening(record).content if record else self._opening()

    def _words(self, **_: Any) -> Any:
        return self.w.words

    def _first(self, **_: Any) -> Any:
        return self.rng.choice([0, 0, 1])

    def _most(self, **_: Any) -> Any:
        return self.rng.choice([1, 2, 1_024])

    def shown(self, record: Committed | None, index: int, *, carbon: bool) -> Any:
        """A leaf as it is; or what is not there, beside words of another leaf."""
        if record is None:
            return evidence.shown(index, None, [])
        tree = record.carbon if carbon else record.own
        leaf, proof = record.leaf(index, carbon=carbon), tree.proof(index)
        if self.rng.random() < 0.3:
            others = [record.leaf(i, carbon=carbon) for i in range(MEMBERS)]
            words = self.rng.choice([one for one in others if one] or [evidence.BLANK])
            return index, leaf is None, words.content, proof
        return evidence.shown(index, leaf, proof)

    def _shown(self, *, carbon: bool, **_: Any) -> Any:
        return self.shown(self.record, self.index, carbon=carbon)

    def _own(self, **_: Any) -> Any:
        return self.shown(self.record, self.index, carbon=False)

    def _other(self, *, carbon: bool, **_: Any) -> Any:
        return self.shown(self.record, self.rng.randrange(MEMBERS), carbon=carbon)

    def _earlier(self, **_: Any) -> Any:
        return self.shown(self.record.before if self.record else None, self.index, carbon=False)

    def content(self) -> Any:
        """Orders, last order, grant, purchases and sales of the subject."""
        known = self.record is not None and self.index < len(self.record.fills)
        accepted = self.record.accepted[self.index] if known and self.record else []
        fills = self.record.fills[self.index] if known and self.record else Fills()
        if self.rng.random() < 0.2:
            accepted = []
        return evidence.trade(accepted, fills)

    def _entries(self, **_: Any) -> Any:
        return self.content()[0]

    def _order(self, *, kind: str, **_: Any) -> Any:
        return self._receipts()[0] if kind == "bytes32" else self.content()[1]

    def _newer(self, **_: Any) -> Any:
        some = self.record.truth.accepted[self.index % MEMBERS] if self.record else []
        return self.rng.choice(some).order.content if some else evidence.NO_ORDER.content

    def _grant(self, **_: Any) -> Any:
        return evidence.NO_GRANT.content

    def _buys(self, **_: Any) -> Any:
        return self.content()[3]

    def _sells(self, **_: Any) -> Any:
        return self.content()[4]

    def _place(self, **_: Any) -> Any:
        return self.rng.randrange(2)

    def _receipts(self) -> Any:
        some = self.record.truth.receipts[self.index % MEMBERS] if self.record else []
        return receipt_words(self.rng.choice(some)) if some else (some_bytes(self.rng), OrderReceipt(bytes(65)).content)

    def _receipt(self, **_: Any) -> Any:
        return self._receipts()[1]

    def _seen(self) -> Any:
        some = [*self.w.false_records, *(self.record.truth.records.get(self.index, []) if self.record else [])]
        return self.rng.choice(some) if some else Seen(self.w.now, split(bytes(65)), "")

    def _time(self, **_: Any) -> Any:
        self.received = self._seen()
        return self.received.time

    def _received(self, **_: Any) -> Any:
        return self.received.words

    def _signature(self, **_: Any) -> Any:
        return split(bytes(65))

    def _reading(self, **_: Any) -> Any:
        signed = self.w.read.get(self.record.made.slot) if self.record else None
        if not signed:
            return 0, ZERO, 0, 0, [], split(bytes(65))
        return self.rng.choice(signed).of(self.index % MEMBERS)

    def _record(self, **_: Any) -> Any:
        return self.record.records.record(self.index % MEMBERS) if self.record else (ZERO, [])

    def _otherRecord(self, **_: Any) -> Any:
        return self.record.records.record(self.rng.randrange(MEMBERS)) if self.record else (ZERO, [])

    def _account(self, *, kind: str, **_: Any) -> Any:
        return self.index if kind == "uint256" else None

    def _id(self, **_: Any) -> Any:
        slot = self.record.made.slot if self.record else 0
        return (slot << 64) | (2 * (self.index % MEMBERS))

    def _deadline(self, **_: Any) -> Any:
        return self.w.now + self.rng.choice([-1, PERIOD])

    # -- what a dishonest gateway makes

    def sign_a_false_receipt(self) -> None:
        """For a record of the subject that never came, or came later."""
        self.subject()
        slot = self.record.made.slot if self.record else 0
        signer = self.w.had(self.w.gateway_since, slot * SLOT)
        if signer in self.w.gateways:
            self.w.false_records = [seen(slot, self.index, (slot + 1) * SLOT, signer)]

    def sign_another_reading(self) -> None:
        """A second truth of a slot."""
        w, rng = self.w, self.rng
        slots = [slot for slot in list(w.read)[-4:] if w.read[slot] and w.read[slot][0].signer in w.gateways]
        if slots:
            slot = rng.choice(slots)
            rows = list(w.read[slot][0].registers)
            place = rng.randrange(min(w.count, MEMBERS))
            taken, given, generation, charge, discharge = rows[place]
            rows[place] = (taken, given + 100, generation + 100, charge, discharge)
            w.read[slot].append(SignedReadings(slot, SLOT, rows, w.read[slot][0].signer))
