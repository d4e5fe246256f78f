"""A life of the currency: money made, moved, allowed, permitted by signature, and destroyed."""

from __future__ import annotations

from typing import Any

from eth_utils.address import to_checksum_address

from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.life import Call, Life
from tests.twins.currency import UNLIMITED, CurrencyTwin
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.chain.keys.keys import CURVE_ORDER
from transactive.core.errors import ContractRevert

FIELDS = ("owner", "address"), ("spender", "address"), ("value", "uint256"), ("nonce", "uint256")
TYPES = {"Permit": [{"name": name, "type": kind} for name, kind in (*FIELDS, ("deadline", "uint256"))]}
FLAWS = ("none", "none", "none", "signer", "chain", "contract", "nonce", "amount", "malleable", "replay")


class CurrencyLife(Life):
    """Everybody calls everything."""

    contract = "currency"

    def begin(self) -> Bound:
        rng = self.rng
        self.now = 1_000
        self.owner, self.minter = Person.named("owner"), Person.named("minter")
        self.holders = [Person.named("member", i) for i in range(4)]
        self.people = [self.owner, self.minter, *self.holders, Person.named("candidate"), Person.named("stranger")]
        cap = rng.choice([100, 10**15, 2**80, UNLIMITED])
        self.sizes = [0, 1, 7, cap // 9, cap // 2, cap, UNLIMITED]
        c = Bound.deploy(self.machine, self.owner.address, "currency", "Local Energy", "LEN", cap)
        self.twin = CurrencyTwin(address=c.address, owner=self.owner.address, cap=cap)
        self.permits: list[tuple[Any, ...]] = []
        return c

    def move(self) -> Call | None:
        rng, twin = self.rng, self.twin
        self.now += rng.choice([0, 0, 1, 30])
        who, other = rng.choice(self.holders), rng.choice(self.people)
        to = rng.choice([other.address] * 9 + [self.c.address, NOBODY])
        amount = min(rng.choice([*self.sizes, twin.balances[who.address], twin.cap - twin.supply]), UNLIMITED)
        allowed = rng.random() < 0.6
        kind = rng.choice(
            ["mint"] * 3 + ["transfer"] * 4 + ["from"] * 3 + ["approve", "burn", "owner"] + ["permit"] * 3
        )
        if kind == "mint":
            return Call(self.minter, "mint", (to, amount), lambda by: twin.mint(by, to, amount))
        if kind == "transfer":
            return Call(who, "transfer", (to, amount), lambda by: twin.transfer(by, to, amount))
        if kind == "from":
            spenders = [pair for pair, most in twin.allowances.items() if most]
            sender, spender = rng.choice(spenders) if spenders else (who.address, other.address)
            amount = rng.choice([amount, min(twin.balances[sender], twin.allowances[sender, spender])])
            by_whom = next((person for person in self.people if person.address == spender), who)
            return Call(
                by_whom,
                "transferFrom",
                (sender, to, amount),
                lambda by: twin.transfer_from(by, sender, to, amount),
            )
        if kind == "approve":
            spender = other.address
            return Call(who, "approve", (spender, amount), lambda by: twin.approve(by, spender, amount))
        if kind == "burn":
            return Call(who, "burn", (amount,), lambda by: twin.burn(by, amount))
        return self.permit() if kind == "permit" else self.govern(other.address, allowed=allowed)

    def govern(self, other: str, *, allowed: bool) -> Call:
        """The owner's calls; mostly the minter keeps its role and the ownership comes back."""
        rng, twin = self.rng, self.twin
        owner = next(person for person in self.people if person.address == twin.owner)
        kind = rng.choice(["minter", "minter", "offer", "accept"])
        if kind == "minter":
            minter, allowed = rng.choice([(other, allowed), (self.minter.address, True)])
            return Call(owner, "setMinter", (minter, allowed), lambda by: twin.set_minter(by, minter, allowed=allowed))
        if kind == "offer":
            candidate = rng.choice([other, self.owner.address])
            return Call(owner, "offerOwnership", (candidate,), lambda by: twin.offer_ownership(by, candidate))
        taker = next((person for person in self.people if person.address == twin.pending_owner), owner)
        return Call(taker, "acceptOwnership", (), twin.accept_ownership)

    def permit(self) -> Call:
        """A permit, right or with one flaw; one that was used before must be refused."""
        rng, twin = self.rng, self.twin
        flaw = rng.choice(FLAWS)
        caller = rng.choice(self.people)
        if flaw == "replay" and self.permits:
            terms = rng.choice(self.permits)
            return Call(caller, "permit", terms, lambda _: twin.permit(NOBODY, terms[0], "", 0, terms[3], self.now))
        owner, spender = rng.choice(self.holders), rng.choice(self.people).address
        amount, deadline = rng.choice(self.sizes), self.now + rng.choice([-1, 0, 1, 50, 50])
        v, r, s = self.signed(owner, spender, amount, deadline, flaw)
        terms = (owner.address, spender, amount - (flaw == "amount" and amount > 0), deadline, v, r, s)
        wrong = flaw in ("signer", "chain", "contract", "nonce") or terms[2] != amount
        nonce = twin.nonces[owner.address]

        def mirror(_: str) -> None:
            if flaw == "malleable" and self.now <= deadline:
                raise ContractRevert("currency: malleable signature")
            stale = nonce != twin.nonces[owner.address]
            twin.permit(NOBODY if wrong or stale else owner.address, owner.address, spender, amount, deadline, self.now)
            self.permits.append(terms)

        return Call(caller, "permit", terms, mirror)

    def signed(self, owner: Person, spender: str, amount: int, deadline: int, flaw: str) -> tuple[int, bytes, bytes]:
        """v, r, s over terms that are right up to the flaw."""
        domain = {
            "name": "Local Energy",
            "version": "1",
            "chainId": CHAIN_ID + (flaw == "chain"),
            "verifyingContract": to_checksum_address(owner.address if flaw == "contract" else self.c.address),
        }
        message = {
            "owner": to_checksum_address(owner.address),
            "spender": to_checksum_address(spender),
            "value": amount,
            "nonce": self.twin.nonces[owner.address] + (flaw == "nonce"),
            "deadline": deadline,
        }
        key = self.minter.key if flaw == "signer" else owner.key
        assert key
        made = key.sign_typed_data(domain, TYPES, message)
        v, s = (55 - made.v, CURVE_ORDER - made.s) if flaw == "malleable" else (made.v, made.s)
        return v, made.r.to_bytes(32, "big"), s.to_bytes(32, "big")

    def check(self) -> None:
        twin, everybody = self.twin, [*(person.address for person in self.people), self.c.address, NOBODY]
        balances = [self.c.read("balanceOf", account) for account in everybody]
        self.equal("balances", balances, [twin.balances[account] for account in everybody])
        self.equal("tokens conserved", sum(balances), self.c.read("totalSupply"))
        self.equal("supply", self.c.read("totalSupply"), twin.supply)
        assert twin.supply <= twin.cap
        pairs = list(twin.allowances)[-6:]
        self.equal(
            "allowances", [self.c.read("allowance", *p) for p in pairs], [twin.allowances[pair] for pair in pairs]
        )
        self.equal("nonces", [self.c.read("nonces", a) for a in everybody], [twin.nonces[a] for a in everybody])
        self.equal("owner", self.c.read("owner"), twin.owner)
        minters = {person.address for person in self.people if self.c.read("isMinter", person.address)}
        self.equal("minters", minters, twin.minters)
