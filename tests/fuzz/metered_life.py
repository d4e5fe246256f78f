"""What the lives of the two markets with delivery share: registry, members, meters, readings, time, money."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from eth_utils.address import to_checksum_address

from tests.contract.market_world import GATE, METER_OWNERS, NAMES, ROLES, SLOT, START, TYPES, WINDOW
from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.echo import Echo
from tests.fuzz.life import Call, Life
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.chain.keys.keys import CURVE_ORDER
from transactive.chain.twins.registry import MeterTwin, RegistryTwin
from transactive.core.errors import ContractRevert

DELAY, FOR_EVER, UNLIMITED = 7_200, 2**63, 2**256 - 1
WALLET = 2**120
STORAGE_ROLE = 7
FLAWS = ("signer", "chain", "contract", "terms", "malleable")
Reading = tuple[int, int, int]


class MeteredLife(Life):
    """A market with its registry and currency. The token is ours, or a hostile one that is a member itself."""

    coin = False
    """Whether the chain's own coin is the currency."""

    def begin(self) -> Bound:
        self.now = START + 1
        self.owner, self.registrar, self.operator = (Person.named(r) for r in ("owner", "registrar", "operator"))
        self.members = [Person.named("member", i) for i in range(len(ROLES))]
        self.meters = [Person.named("meter", 200 + i) for i in range(len(METER_OWNERS))]
        others = [self.owner, self.registrar, self.operator, Person.named("candidate"), Person.named("stranger")]
        self.registry = Bound.deploy(self.machine, self.owner.address, "registry", DELAY)
        twin = RegistryTwin(owner=self.owner.address, registrar=NOBODY, operator=NOBODY, delay=DELAY)
        self.registry_twin = twin
        by, registrar = self.owner.address, self.registrar.address
        self.registry.do(by, "setRegistrar", registrar)
        self.registry.do(by, "offerOperator", self.operator.address)
        self.registry.do(self.operator.address, "acceptOperator")
        twin.registrar, twin.operator = registrar, self.operator.address
        if not self.coin:
            self.make_token()
        if self.echo:
            self.members.append(self.echo.person)
        for member, roles in zip(self.members, [*ROLES, STORAGE_ROLE], strict=False):
            self.registry.do(registrar, "register", member.address, roles)
            twin.register(registrar, member.address, roles)
        for owner, meter in zip(METER_OWNERS, self.meters, strict=True):
            self.registry.do(registrar, "addMeter", owner, meter.address, 0, 0, FOR_EVER)
            twin.add_meter(registrar, MeterTwin(meter.address, owner, 0, 0, FOR_EVER), self.now)
        self.people = [*others, *self.members]
        currency = NOBODY if self.coin else self.token.address
        rules = (self.registry.address, currency, SLOT, GATE, WINDOW)
        c = Bound.deploy(self.machine, by, self.contract, *rules)
        for person in self.people:
            self.give(person, c.address)
        self.wallets = dict.fromkeys((person.address for person in self.people), WALLET)
        return c

    def make_token(self) -> None:
        if self.rng.random() < 0.5:
            self.echo = Echo(self.machine, self.owner.address)
            self.token = self.echo.bound
        else:
            cap = WALLET * 100
            self.token = Bound.deploy(self.machine, self.owner.address, "currency", "Test", "TST", cap)
            self.token.do(self.owner.address, "setMinter", self.owner.address, *[True])

    def give(self, person: Person, market: str) -> None:
        """Fill a wallet and open it to the market."""
        self.machine.give(person.address, WALLET)
        if self.coin:
            return
        self.token.do(self.owner.address, "mint", person.address, WALLET)
        if not self.echo:
            self.token.do(person.address, "approve", market, UNLIMITED)

    # -- what everybody does

    def holder(self, index: int) -> Person:
        """Who has an index now."""
        address = self.registry_twin.members[index].account
        return next(person for person in self.people if person.address == address)

    def slot(self, ahead: int) -> int:
        """Start of the slot so many after the one that is now."""
        return (self.now // SLOT + ahead) * SLOT

    def govern(self) -> Call:
        """What the registrar and the owner do meanwhile; nobody stays suspended or keyless for long."""
        rng, twin, registry = self.rng, self.registry_twin, self.registry
        index = rng.randrange(len(twin.members))
        out = [i for i, member in enumerate(twin.members) if member.suspended]
        kind = rng.choice(
            ["suspend", "readmit", "readmit", "startRecovery", "finishRecovery", "finishRecovery", "roles"]
        )
        if kind == "suspend":
            return Call(self.registrar, kind, (index,), lambda who: twin.suspend(who, index), on=registry)
        if kind == "readmit":
            index = rng.choice(out) if out else index
            return Call(self.registrar, kind, (index,), lambda who: twin.readmit(who, index), on=registry)
        if kind == "roles":
            roles = ([*ROLES, STORAGE_ROLE] * 2)[index] if rng.random() < 0.8 else rng.randrange(1, 8)
            return Call(
                self.registrar, "setRoles", (index, roles), lambda who: twin.set_roles(who, index, roles), on=registry
            )
        if kind == "startRecovery":
            free = rng.choice(self.people)
            return Call(
                self.registrar,
                kind,
                (index, free.address),
                lambda who: twin.start_recovery(who, index, free.address, self.now),
                on=registry,
            )
        index = rng.choice(sorted(twin.recoveries)) if twin.recoveries else index
        taker = twin.recoveries.get(index, (self.owner.address, 0))[0]
        who = next(person for person in self.people if person.address == taker)
        return Call(who, kind, (index,), lambda by: twin.finish_recovery(by, index, self.now), on=registry)

    def reading(self, slot: int, meter: int, sizes: Sequence[int]) -> Call:
        """A reading of a meter, stated by the operator or signed; some signatures have a flaw."""
        rng = self.rng
        read = (meter, rng.choice([*sizes, 2**56]), rng.choice(sizes))
        if rng.random() < 0.4:
            more = [(rng.randrange(len(self.meters)), rng.choice(sizes), rng.choice(sizes)) for _ in range(2)]
            readings = [read, *(more if rng.random() < 0.3 else [])]
            return Call(self.operator, "certifyBatch", (slot, readings), lambda who: self.stated(who, slot, readings))
        flaw = rng.choice(FLAWS) if rng.random() < 0.15 else "none"
        arguments = self.signed(slot, read, flaw)
        return Call(rng.choice(self.people), "certify", arguments, lambda _: self.signed_mirror(slot, read, flaw))

    def stated(self, who: str, slot: int, readings: Sequence[Reading]) -> None:
        if who != self.registry_twin.operator:
            raise ContractRevert("metered: not the operator")
        self.certified(slot, readings, signed=False)

    def signed_mirror(self, slot: int, read: Reading, flaw: str) -> None:
        if flaw == "malleable":
            raise ContractRevert("metered: malleable signature")
        if flaw != "none":
            self.registry_twin.meter_for(read[0], slot, slot + SLOT)
            raise ContractRevert("metered: bad signature")
        self.certified(slot, [read], signed=True)

    @abstractmethod
    def certified(self, slot: int, readings: Sequence[Reading], *, signed: bool) -> None:
        """Let the twin take readings."""

    def signed(self, slot: int, read: Reading, flaw: str) -> list[Any]:
        """Arguments of `certify`: never good on another chain, for another contract, or with other terms."""
        domain = {
            "name": NAMES[self.contract],
            "version": "1",
            "chainId": CHAIN_ID + (flaw == "chain"),
            "verifyingContract": to_checksum_address(self.registry.address if flaw == "contract" else self.c.address),
        }
        exported = read[1] + (flaw == "terms")
        message = {"meter": read[0], "slot": slot, "exported": exported, "imported": read[2]}
        key = self.meters[(read[0] + (flaw == "signer")) % len(self.meters)].key
        assert key
        made = key.sign_typed_data(domain, TYPES, message)
        v, s = (55 - made.v, CURVE_ORDER - made.s) if flaw == "malleable" else (made.v, made.s)
        return [slot, *read, v, made.r.to_bytes(32, "big"), s.to_bytes(32, "big")]

    def pause(self) -> Call:
        """Pauses end soon."""
        return self.pausing(to=self.rng.random() < 0.25)

    def pausing(self, *, to: bool) -> Call:
        return Call(self.owner, "setPaused", (to,), lambda who: self.set_paused(who, to=to))

    def set_paused(self, who: str, *, to: bool) -> None:
        if who != self.registry_twin.owner:
            raise ContractRevert("metered: not the owner")
        self.keep_paused(to=to)

    @abstractmethod
    def keep_paused(self, *, to: bool) -> None:
        """Let the twin know."""

    def paid(self, who: str, amount: int) -> None:
        """Money that left a wallet; negative if it came."""
        self.wallets[who] -= amount

    def and_paid(self, mirror: Callable[[str], object], amount: int) -> Callable[[str], object]:
        """The twin's part, then so much less in the caller's wallet."""

        def both(by: str) -> None:
            mirror(by)
            self.paid(by, amount)

        return both

    def holdings(self, account: str) -> int:
        """What an account holds of the currency."""
        return self.machine.coin(account) if self.coin else int(self.token.read("balanceOf", account))

    def check_money(self, wanted: int) -> None:
        """The contract holds what the twin says, and what it does not hold is in the wallets."""
        self.equal("contract holds what it owes", self.holdings(self.c.address), wanted)
        wallets = {account: self.holdings(account) for account in self.wallets}
        self.equal("wallets", wallets, self.wallets)
        self.equal("tokens conserved", sum(wallets.values()) + wanted, WALLET * len(self.wallets))
