"""What must never happen in a community, whoever is dishonest. No twin says any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fuzz.adversary.commits import Committed
from tests.fuzz.adversary.faults import Fault, open_content
from tests.fuzz.adversary.slots import MEMBERS
from tests.fuzz.adversary.terms import NOTICE, PENALTY, PLACES, SLOTS, UNLIMITED
from tests.fuzz.bound import Bound, Person
from transactive.chain.packing import PART_WORDS, decode_balances, decode_nets

if TYPE_CHECKING:
    from tests.fuzz.adversary.community import Community

MOVES_MONEY = ("finalise", "withdraw", "claim", "takeBond", "declareSilence", "register", "registerMany")


class Rules:
    """Looks at every call that went through."""

    def __init__(self, community: Community) -> None:
        self.w = community
        self.minted: dict[tuple[int, int], int] = {}
        """Wh by slot and member that have become tokens."""
        self.is_begun = False
        """Whether a netting was paid in part."""

    def after(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        """After a call."""
        w = self.w
        if function in ("commitSlot", "propose"):
            enough = int(w.c.read("bond")) >= PENALTY
            w.hold(enough, "nothing is committed or proposed without a stake that covers it")
        if on in (w.c, w.disputes, w.demands, w.judge):
            was_begun, self.is_begun = self.is_begun, bool(w.c.read("parts")[3])
            if was_begun and not self.is_begun:
                w.hold(function == "finalise", f"a netting that was begun always ends: {function} by {who.role}")
        if function in ("fundBond", "takeBond"):
            w.money.bond = int(w.c.read("bond"))
        elif function.startswith("challenge") or function == "declareSilence":
            self.punished(who, function)
        if function in MOVES_MONEY or function.startswith(("challenge", "deposit")):
            self.solvent()
        if function == "answer":
            self.answered(*arguments[:2])
        if function == "release" and on is w.certificates:
            self.left(arguments)
        if on in (w.c, w.token):
            self.wallets(who, function, arguments)

    # -- money

    def solvent(self) -> None:
        """Every token is somebody's who can take it, and every claim has its tokens."""
        w = self.w
        lanes = decode_balances([int(w.c.read("balances", j)) for j in range(4)])
        w.hold(not any(lanes[w.count :]), "no money belongs to an account that nobody has")
        waiting = self.in_parts()
        for i, kept in enumerate(waiting):
            rule = "nothing that a netting moves leaves before its last part"
            w.hold(lanes[i] >= kept, f"{rule}: account {i}, {lanes[i]} left of {kept}")
        awards = sum(int(w.c.read("awards", account)) for account in w.people)
        claims = sum(lanes[: w.count]) - sum(waiting) + int(w.c.read("bond")) + awards
        held = int(w.token.read("balanceOf", w.c.address))
        w.hold(held >= claims, f"tokens cover all claims: {held} held, {claims} claimed")

    def in_parts(self) -> list[int]:
        """What cannot leave accounts while a netting is paid in parts [n¤]: credits that came, debits to come."""
        w = self.w
        period, _, _, applied = w.c.read("parts")
        if not period or not applied:
            return [0] * w.count
        nets = [*decode_nets(w.words), *[0] * PLACES]
        return [max(nets[i] if i // 4 < applied else -nets[i], 0) for i in range(w.count)]

    def punished(self, who: Person, function: str) -> None:
        """Honest operators are never convicted, nor found silent."""
        w, bond = self.w, int(self.w.c.read("bond"))
        if w.office_was_honest and not w.two_truths(function):
            w.hold(bond == w.money.bond, f"an honest operator is never convicted: {function} by {who.role}")
            w.hold(function != "declareSilence", f"an honest operator is never found silent: by {who.role}")
        elif function != "declareSilence":
            w.hold(w.money.bond - bond == min(PENALTY, w.money.bond), "a conviction takes one penalty")
        w.money.bond = bond
        if function == "declareSilence":
            for record in w.all[-12:]:
                final = w.c.read("isFinal", w.opening(record).content)
                rule = "nothing is final before it was netted"
                w.hold(not final or record.made.slot // SLOTS <= w.settled, f"{rule}: slot {record.made.slot}")

    def wallets(self, who: Person, function: str, arguments: tuple[Any, ...]) -> None:
        """A wallet falls by its owner's calls, and once by each of its permits."""
        w = self.w
        known, named = w.money.wallets, {who.address, *(one for one in arguments if isinstance(one, str))}
        for i in range(w.count):
            account = w.members[i].address
            if not w.is_honest_member(i) or account not in named:
                continue
            left = int(w.token.read("balanceOf", account))
            lost, known[account] = known[account] - left, left
            if function == "depositWithPermit" and arguments[0] == account:
                self.permit_paid(i, arguments, lost)
            elif who.address != account:
                w.hold(lost <= 0, f"nobody's wallet falls without its signature: member {i}, {function} by {who.role}")

    def permit_paid(self, index: int, arguments: tuple[Any, ...], lost: int) -> None:
        """A permit pays in what was signed, once."""
        w = self.w
        number = next(
            (k for k, one in enumerate(w.money.permits) if one.member == index and one.words == arguments[1:]), None
        )
        w.hold(number is not None, f"nobody pays in without a permit: member {index}")
        assert number is not None
        w.money.used[number] = w.money.used.get(number, 0) + 1
        signed = w.money.used[number] == 1 and lost == w.money.permits[number].amount
        w.hold(signed, f"a permit pays in what was signed, once: member {index} lost {lost}")

    def answered(self, content: Any, shown: Any) -> None:
        """What passes for an answer are the orders and trades that the leaf stands for."""
        w = self.w
        for record in w.all[-12:]:
            if w.opening(record).content == content:
                found = open_content(record, shown[0])
                w.hold(found is not None, f"nobody answers with what a leaf does not stand for: member {shown[0]}")

    # -- nettings

    def netted(self, period: int, chunks: list[list[int]], proposed_at: int) -> None:
        """A netting went through: every member could have stopped it, and it says what the leaves say."""
        w, chain = self.w, self.w.chains[period]
        nets = [*decode_nets([word for chunk in chunks for word in chunk]), *[0] * PLACES]
        for i in range(w.count):
            if w.is_honest_member(i) and int(w.c.read("memberSince", i)) > proposed_at:
                w.hold(nets[i] == 0, f"a netting leaves out who came after it: member {i}")
            elif w.is_honest_member(i):
                self.fair(i, nets[i], chain)

    def fair(self, index: int, net: int, chain: list[Committed]) -> None:
        """What a member gets and pays in a period is what its leaves of each slot state, and it could look at them."""
        w, stated = self.w, 0
        for record in chain:
            leaf = record.leaf(index)
            stated += leaf_net(leaf.slot_money) if leaf else 0
            found = w.watchers.found(index, record)
            rule = f"nothing becomes final that its member could not stop: member {index}, slot {record.made.slot}"
            w.hold(found not in (Fault.PROVABLE, Fault.UNOPENED), f"{rule}, {found.value}")
            if w.arbiter_is_honest:
                w.hold(found is Fault.NONE, f"{rule}, {found.value}")
        w.hold(net == stated, f"a balance changes by what a member's leaves state: member {index}, {net} for {stated}")

    # -- certificates

    def left(self, arguments: tuple[Any, ...]) -> None:
        """What leaves is final, and was metered."""
        w, (shown, leaf, record) = self.w, arguments
        slot, index = shown[1][0] % 2**64, leaf[0]
        w.released.add((slot, index))
        standing = [one for one in w.chains.get(slot // SLOTS, []) if one.made.content == shown[1]]
        final = bool(standing) and slot // SLOTS <= w.settled
        w.hold(final, f"nothing leaves that is not final: slot {slot}, member {index}")
        held = [word for word in record[1] if (word >> 224) // 2 == index and (word >> 56) & 255 == 1]
        wh = sum((word >> 64) & (2**64 - 1) for word in held)
        self.minted[slot, index] = self.minted.get((slot, index), 0) + wh
        read = [signed.registers[index] for signed in w.read.get(slot, []) if index < MEMBERS]
        if not read:  # the owner has named no gateway
            return
        most = max(row[2] + row[4] for row in read)
        rule = "no certificate without a metered Wh"
        w.hold(self.minted[slot, index] <= most, f"{rule}: member {index}, slot {slot}, {wh} Wh of {most}")

    def proposed_debit(self, index: int) -> int:
        """What a netting that is proposed, in part at least, takes from a member: it stays until that ends."""
        w = self.w
        nets = [*decode_nets(w.words), *[0] * PLACES] if w.c.read("parts")[0] else [0] * PLACES
        return max(-nets[index], 0)

    # -- the end

    def everybody_leaves(self) -> None:
        """All that is settled can be taken out within the notice, whatever others do."""
        w, rule = self.w, "all that is settled leaves within the notice"
        some = [i for i in range(w.count) if w.is_honest_member(i)]
        for i in some:
            w.must(w.members[i], w.c, "requestWithdrawal", UNLIMITED, rule=rule)
        w.advance(w.now + NOTICE)
        if w.c.read("parts")[3]:
            w.must(w.members[some[0]], w.c, "finalise", PART_WORDS, rule="a netting that was begun always ends")
        for i in some:
            account = w.members[i].address
            owed, before = int(w.c.read("balanceOf", account)), int(w.token.read("balanceOf", account))
            w.must(w.members[i], w.c, "withdraw", rule=rule)
            paid = int(w.token.read("balanceOf", account)) - before
            w.hold(paid + self.proposed_debit(i) >= owed, f"{rule}: member {i}, {paid} of {owed}")
            if w.c.read("awards", account):
                w.must(w.members[i], w.c, "claim", rule="awards are paid")
        self.solvent()


def leaf_net(money: int) -> int:
    """Credit less debit of a word of money."""
    return (money >> 64 & (2**64 - 1)) - (money & (2**64 - 1))
