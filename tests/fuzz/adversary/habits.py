"""What honest people of a community do now and then: join, limit what they pay, pay in, take out, change offices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from tests.fuzz.adversary.slots import key_of, permit_struct
from tests.fuzz.adversary.terms import REACTION, SLOT, UNLIMITED
from transactive.core.proofs import signing
from transactive.core.proofs.signed_orders import split

if TYPE_CHECKING:
    from tests.fuzz.adversary.community import Community

PERMIT_TYPE = keccak(text="Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")


@dataclass(frozen=True, slots=True)
class Permit:
    """A permit of a member for a deposit; `words`: amount, deadline and signature as the currency takes them."""

    member: int
    amount: int
    nonce: int
    words: tuple[Any, ...]


class Habits:
    """Draws what honest people do in a slot."""

    def __init__(self, community: Community) -> None:
        self.w = community

    def daily(self) -> None:
        """What honest people do now and then: limits, leaving, permits, and changes of office."""
        w = self.w
        rng = w.rng
        some = [i for i in range(w.count) if w.is_honest_member(i)]
        i = rng.choice(some) if some else 0
        if rng.random() < 0.3:
            w.due(w.now + rng.randrange(SLOT), w.join)
        if not some or w.ended or w.is_leaving:
            return
        if rng.random() < 0.15:
            w.call(w.members[i], w.c, "setLimit", rng.choice([UNLIMITED, 100, 500, 5_000]))
        if rng.random() < 0.15:
            self.sign_permit(i)
        if rng.random() < 0.1:
            w.call(w.members[i], w.token, "approve", w.c.address, UNLIMITED)
        if rng.random() < 0.1:
            w.call(w.members[i], w.c, "requestWithdrawal", rng.choice([100, 1_000, UNLIMITED]))
        if rng.random() < 0.5:
            w.due(w.now + rng.randrange(SLOT), lambda: self.take_out(i))
        if rng.random() < 0.5:
            w.due(w.now + rng.randrange(SLOT), lambda: self.lose_patience(i))
        if w.honest("owner") and rng.random() < 0.15:
            w.due(w.now + rng.randrange(SLOT), self.rotate)

    def take_out(self, i: int) -> None:
        """Somebody takes what it has asked for, as soon as it can."""
        w = self.w
        if w.c.read("requests", w.members[i].address)[0]:
            w.call(w.members[i], w.c, "withdraw")

    def lose_patience(self, i: int) -> None:
        """Somebody who wants its money finds the operator silent, if that is so."""
        w = self.w
        if not w.ended:
            w.call(w.members[i], w.c, "declareSilence")

    def rotate(self) -> None:
        """An honest owner gives an office to another key, which nobody had before."""
        w = self.w
        used = [person for _, person in w.gateway_since + w.operator_since]
        gateway = next((one for one in w.gateways if one not in used), None)
        operator = next((one for one in w.operators if one not in used), None)
        if gateway and w.rng.random() < 0.5:
            w.call(w.owner, w.disputes, "setGateway", gateway.address)
        elif operator and w.office_was_honest == w.honest("operator"):
            w.call(w.owner, w.c, "offerOperator", operator.address)
            w.call(operator, w.c, "acceptOperator")

    def sign_permit(self, i: int) -> None:
        """A member pays in with a permit, which everybody sees before it arrives."""
        w = self.w
        member, amount = w.members[i], 700
        nonce = int(w.token.read("nonces", member.address))
        if any(one.member == i and one.nonce == nonce for one in w.money.permits):
            return
        deadline = w.now + 10**7
        struct = keccak(permit_struct(PERMIT_TYPE, member.address, w.c.address, (amount, nonce, deadline)))
        signature = signing.sign(signing.digest(w.token_domain, struct), key_of(member))
        permit = Permit(i, amount, nonce, (amount, deadline, *split(signature)))
        number = len(w.money.permits)
        w.money.permits.append(permit)
        w.due(w.now + 1 + w.rng.randrange(REACTION), lambda: self.bring_permit(number))

    def bring_permit(self, number: int) -> None:
        """Unless somebody brought it before."""
        w = self.w
        permit = w.money.permits[number]
        if w.money.used.get(number) or w.c.read("paused"):
            return
        member = w.members[permit.member]
        words = (member.address, *permit.words)
        w.must(member, w.c, "depositWithPermit", *words, rule="a signed deposit arrives whatever others do")
