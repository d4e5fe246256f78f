"""The two markets with delivery: honest members keep their promises and bring their meters' words in time."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from tests.contract.market_world import DELAY, GATE, METER_OWNERS, ROLES, SLOT, WINDOW
from tests.fuzz.adversary.drawing import by_type, names_of
from tests.fuzz.adversary.slots import key_of
from tests.fuzz.adversary.stage import Stage
from tests.fuzz.adversary.terms import UNLIMITED, WALLET
from tests.fuzz.bound import Bound, Person
from transactive.core.proofs import signing
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signed_orders import split

START, AHEAD = 2_000_000 * SLOT, 4
FOR_EVER = 2**63
REACTION = WINDOW // 8
BASE, FLOOR, CAP, SCALE, LIMIT = 200, 80, 300, 6_000, 24_000
ROLE: dict[str, dict[str, tuple[str, ...]]] = {
    "operator": {
        "balance_market": ("openSlot", "certifyBatch", "certifyBatch", "defund"),
        "trade_board": ("certifyBatch",),
    },
    "registrar": {"registry": ("register", "setRoles", "suspend", "startRecovery", "addMeter", "endMeter")},
    "owner": {
        "registry": ("setRegistrar", "offerOperator"),
        "balance_market": ("setPaused",),
        "trade_board": ("setPaused",),
    },
    "member": {
        "balance_market": ("produce", "consume", "cancel", "settle", "withdraw"),
        "trade_board": ("addAvailableTrade", "buyEnergy", "requestEnergy", "sellEnergy", "settle", "withdraw"),
    },
    "stranger": {"registry": ("finishRecovery",), "balance_market": ("settle",), "trade_board": ("settle",)},
}
"""Entry points that a role can use best, by contract."""
READING_TYPE = b"Reading(uint256 meter,uint256 slot,uint256 exported,uint256 imported)"


@dataclass(slots=True)
class Promise:
    """Energy that an honest member owes in a slot, or takes, and the money for it."""

    slot: int
    member: int
    energy: int
    money: int
    consuming: bool
    number: int = 0
    buyer: int = 0
    is_over: bool = False


class MarketStage(Stage):
    """Six members with meters, a registry, and one market."""

    roles = ("member", "operator", "registrar", "owner", "stranger")
    often = "operator"
    steps = (1, 20, REACTION, SLOT // 2, SLOT, SLOT, WINDOW // 2)
    kind: ClassVar[str]

    def begin(self) -> None:
        self.now = START + 1
        names = ("owner", "operator", "registrar", "stranger", "on-ramp")
        self.owner, self.operator, self.registrar, self.stranger, self.ramp = (Person.named(name) for name in names)
        self.members = [Person.named("member", i) for i in range(len(ROLES))]
        self.meters = [Person.named("meter", 200 + i) for i in range(len(METER_OWNERS))]
        everybody = [self.owner, self.operator, self.registrar, self.stranger, *self.members]
        self.people = {person.address: person for person in everybody}
        by = self.owner
        self.registry = self.deploy(by, "registry", DELAY)
        self.token = self.deploy(by, "currency", "Test", "TST", 2**100)
        self.c = self.deploy(by, self.kind, self.registry.address, self.token.address, SLOT, GATE, WINDOW)
        self.registry.do(by.address, "setRegistrar", self.registrar.address)
        self.registry.do(by.address, "offerOperator", self.operator.address)
        self.registry.do(self.operator.address, "acceptOperator")
        self.token.do(by.address, "setMinter", self.ramp.address, *[True])
        for member, roles in zip(self.members, ROLES, strict=True):
            self.registry.do(self.registrar.address, "register", member.address, roles)
        for owner, meter in zip(METER_OWNERS, self.meters, strict=True):
            self.registry.do(self.registrar.address, "addMeter", owner, meter.address, 0, 0, FOR_EVER)
        for person in everybody:
            self.token.do(self.ramp.address, "mint", person.address, WALLET)
            self.token.do(person.address, "approve", self.c.address, UNLIMITED)
        self.separator = self.c.read("DOMAIN_SEPARATOR")
        self.promises: list[Promise] = []
        self.names = {name: names_of(c.name) for name, c in self.bounds.items()}
        writing = [(c, f) for c in self.bounds.values() for f, made in c.functions.items() if made.writes]
        self.entries = [one for one in writing if one[1] not in ("transfer", "approve", "burn", "mint")]
        self.meters_are_true = True
        self.stated: set[tuple[int, int]] = set()
        self.open_for_business()
        slot = self.now // SLOT
        self.due((slot + 1) * SLOT, lambda: self.boundary(slot + 1))

    def is_honest(self, index: int) -> bool:
        """Whether the rules protect a member."""
        return index > 0 or self.honest("member")

    # -- a kind of market says

    @abstractmethod
    def open_for_business(self) -> None:
        """Money that is there from the beginning."""

    @abstractmethod
    def trade(self, slot: int) -> None:
        """Honest members trade for a slot."""

    @abstractmethod
    def settle(self, promise: Promise) -> None:
        """After the window: a promise that was kept brings its price."""

    # -- a slot

    def boundary(self, number: int) -> None:
        """A slot begins: trades of a later one, and deliveries of the one before."""
        self.due((number + 1) * SLOT, lambda: self.boundary(number + 1))
        self.trade((number + AHEAD) * SLOT)
        over = (number - 1) * SLOT
        kept = [one for one in self.promises if one.slot == over and not one.is_over]
        if self.honest("operator") and kept and self.registry.read("operator") == self.operator.address:
            rows = [(meter, *self.truth(meter, over)) for meter in self.metered(over)]
            self.due(self.now + 1 + self.rng.randrange(REACTION), lambda: self.state(over, rows))
        closes = over + SLOT + WINDOW // 2 + self.rng.randrange(REACTION)
        self.due(closes, lambda: self.answer(over))
        for promise in kept:
            self.due(over + SLOT + WINDOW + self.rng.randrange(SLOT), partial(self.end, promise))

    def end(self, promise: Promise) -> None:
        """Settle a promise, unless somebody did."""
        if not promise.is_over and self.meters_are_true:
            self.settle(promise)

    def metered(self, slot: int) -> list[int]:
        """Meters of honest members with promises in a slot."""
        owners = {one.member for one in self.promises if one.slot == slot and not one.is_over}
        return [meter for meter, owner in enumerate(METER_OWNERS) if owner in owners]

    def truth(self, meter: int, slot: int) -> tuple[int, int]:
        """What a meter of an honest member reads [Wh exported, imported]: what was promised; of two, the first one."""
        owner = METER_OWNERS[meter]
        if METER_OWNERS.index(owner) != meter:
            return 0, 0
        mine = [one for one in self.promises if (one.slot, one.member) == (slot, owner)]
        given, taken = (sum(one.energy for one in mine if one.consuming is side) for side in (False, True))
        return given, taken

    def state(self, slot: int, rows: list[tuple[int, int, int]]) -> None:
        """An honest operator states what was metered."""
        for row in rows:
            self.call(self.operator, self.c, "certifyBatch", slot, [row])

    def answer(self, slot: int) -> None:
        """Whatever is stated wrong of an honest member's meter, or not at all, its own signature puts right."""
        if not self.meters_are_true:
            return
        for meter in self.metered(slot):
            true = self.truth(meter, slot)
            *stated, source = self.c.read("getReading", slot, meter)
            if source == 2 or (source == 1 and tuple(stated) == true):
                continue
            owner = self.members[METER_OWNERS[meter]]
            arguments = self.signed(slot, meter, *true)
            self.must(owner, self.c, "certify", *arguments, rule="a meter's own word replaces a statement")

    def signed(self, slot: int, meter: int, exported: int, imported: int) -> tuple[Any, ...]:
        """Arguments of `certify`."""
        from eth_utils.crypto import keccak

        numbers = b"".join(word(n) for n in (meter, slot, exported, imported))
        digest = signing.digest(self.separator, keccak(keccak(READING_TYPE) + numbers))
        return (slot, meter, exported, imported, *split(signing.sign(digest, key_of(self.meters[meter]))))

    # -- rules

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        if function in ("endMeter", "addMeter"):
            self.meters_are_true = False  # the registrar is trusted for them
        if function == "certifyBatch":
            self.stated_in_time(*arguments)
            self.due(self.now + 1 + self.rng.randrange(REACTION), lambda: self.answer(arguments[0]))
        if function == "startRecovery":
            index = arguments[0]
            if self.is_honest(index):
                self.due(self.now + 1 + self.rng.randrange(REACTION), lambda: self.stop_recovery(index))
        if function == "finishRecovery":
            for i, member in enumerate(self.members):
                mine = str(self.registry.read("accountOf", i)).lower() == member.address
                self.hold(mine or not self.is_honest(i), f"nobody takes over a member that objects: member {i}")
        if function in ("settle", "withdraw", "defund", "cancel", "finishRecovery"):
            self.solvent()
        if on in (self.c, self.token):
            for i in range(len(self.members)):
                self.wallet(i, who, function)

    def stated_in_time(self, slot: int, rows: list[tuple[int, int, int]]) -> None:
        """What the operator states, while its meter can answer; a reading that was known states nothing."""
        ends = slot + SLOT + WINDOW
        rule = "a meter has time to answer what is stated of it"
        new = {(slot, meter) for meter, *_ in rows if self.c.read("getReading", slot, meter)[2] == 1} - self.stated
        for _ in new:
            self.hold(self.now + WINDOW // 4 <= ends, f"{rule}: {ends - self.now} s before the window ends")
        self.stated |= new

    def stop_recovery(self, index: int) -> None:
        """A member that has its key objects."""
        if str(self.registry.read("recoveries", index)[0]) != "0x" + "00" * 20:
            self.must(self.members[index], self.registry, "stopRecovery", index, rule="a member may object")

    def wallet(self, index: int, who: Person, function: str) -> None:
        """A wallet falls by its owner's calls alone."""
        account = self.members[index].address
        if not self.is_honest(index) or function not in ("transferFrom", "permit", "buyEnergy", "deposit", "fund"):
            return
        left = int(self.token.read("balanceOf", account))
        known = self.wallets.get(account, left)
        mine = who.address == account
        self.hold(mine or left >= known, f"nobody's wallet falls without its signature: member {index}, {function}")
        self.wallets[account] = left

    wallets: dict[str, int]

    @abstractmethod
    def solvent(self) -> None:
        """Every claim has its tokens."""

    # -- what the coalition does

    def mischief(self) -> None:
        rng = self.rng
        role = rng.choice(sorted(self.coalition))
        people = {
            "member": self.members[0],
            "operator": self.operator,
            "registrar": self.registrar,
            "owner": self.owner,
        }
        who = people.get(role, self.stranger)
        special = {(name, f) for name, some in ROLE[role].items() for f in some}
        own = [one for one in self.entries if (one[0].name, one[1]) in special]
        on, function = rng.choice(own if own and rng.random() < 0.5 else self.entries)
        pairs = zip(self.names[on.name][function], on.functions[function].takes, strict=True)
        self.slot = self.some_slot()
        self.call(who, on, function, *[self.one(name, kind) for name, kind in pairs])

    def some_slot(self) -> int:
        """A slot in which something is promised, or one near."""
        waiting = [one.slot for one in self.promises[-20:] if not one.is_over]
        near = (self.now // SLOT + self.rng.randrange(-5, AHEAD + 1)) * SLOT
        return self.rng.choice([*waiting, near, near])

    def one(self, name: str, kind: str) -> Any:
        """One argument, by name and type."""
        rng = self.rng
        index, meter = rng.randrange(len(self.members)), rng.randrange(len(self.meters))
        numbers: dict[str, Any] = {
            "slot": self.slot, "index": index, "owner": index, "meter": meter, "members": [index], "buyers": [index],
            "readings": [(meter, rng.choice([0, 100, 1_000]), rng.choice([0, 100]))],
            "trade": rng.randrange(max(self.trades, 1)), "base": BASE, "floorPrice": FLOOR, "capPrice": CAP,
            "scale": SCALE, "limit": rng.choice([LIMIT, 0, UNLIMITED]), "least": 1, "most": rng.choice([10, 2_000]),
            "energy": rng.choice([1, 10, 100]), "price": rng.choice([1, 200]), "total": rng.choice([1, 200, 2_000]),
            "expiry": 0, "roles": rng.randrange(1, 8), "validUntil": self.now + SLOT, "validFrom": 0, "node": 0,
        }  # fmt: skip
        if name in numbers and kind != "address":
            return numbers[name]
        return by_type(rng, kind, self.people)

    @property
    def trades(self) -> int:
        """Trades that there are."""
        return 0


class BalanceStage(MarketStage):
    """The balance market."""

    contract = "roles_of_balance_market"
    kind = "balance_market"

    def open_for_business(self) -> None:
        self.wallets = {}
        self.totals: dict[int, int] = {}
        self.c.do(self.operator.address, "fund", 10**8)
        for i, member in enumerate(self.members):
            self.c.do(member.address, "deposit", 10**8)
            self.totals[i] = 10**8

    def trade(self, slot: int) -> None:
        rng = self.rng
        if self.honest("operator") or rng.random() < 0.9:
            self.call(self.operator, self.c, "openSlot", slot, BASE, FLOOR, CAP, SCALE, LIMIT)
        for i, function in ((1, "produce"), (2, "consume"), (3, "consume"), (5, rng.choice(["produce", "consume"]))):
            consuming = function == "consume"
            if rng.random() < 0.5:
                continue
            energy = rng.choice([100, 500])
            limit = UNLIMITED if consuming else 0
            if self.call(self.members[i], self.c, function, slot, energy, energy, limit) is None:
                money = int(self.c.read("getPosition", slot, i)[1])
                self.promises.append(Promise(slot, i, energy, money, consuming))

    def settle(self, promise: Promise) -> None:
        rule = "a promise that was kept is settled at its price"
        self.must(self.members[promise.member], self.c, "settle", promise.slot, [promise.member], rule=rule)

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        super().happened(who, on, function, arguments)
        if on is self.c and function == "settle":
            for index in arguments[1]:
                self.fair(arguments[0], index)

    def fair(self, slot: int, index: int) -> None:
        """The account of a member that kept its promise changes by the price, to the unit."""
        mine = [one for one in self.promises if (one.slot, one.member) == (slot, index)]
        if not mine or not self.is_honest(index):
            return
        promise = mine[0]
        settled_before, promise.is_over = promise.is_over, True
        free, locked = self.c.read("getAccount", index)
        change = free + locked - self.totals[index]
        self.totals[index] = free + locked
        wanted = -promise.money if promise.consuming else promise.money
        wanted = 0 if settled_before else wanted  # it is left out
        rule = "an honest delivery brings its price"
        self.hold(change == wanted or not self.meters_are_true, f"{rule}: member {index}, {change} for {wanted}")

    def solvent(self) -> None:
        owed = sum(sum(self.c.read("getAccount", i)) for i in range(int(self.registry.read("memberCount"))))
        held = int(self.token.read("balanceOf", self.c.address))
        self.hold(held >= owed, f"tokens cover all claims: {held} held, {owed} claimed")

    def leave(self) -> None:
        """Everybody honest takes out what is free."""
        for i, member in enumerate(self.members):
            free = int(self.c.read("getAccount", i)[0])
            if free and self.is_honest(i):
                self.must(member, self.c, "withdraw", free, rule="what is free leaves at once")


class BoardStage(MarketStage):
    """The trade board."""

    contract = "roles_of_trade_board"
    kind = "trade_board"

    def open_for_business(self) -> None:
        self.wallets = {}
        self.earned: dict[int, int] = {}

    @property
    def trades(self) -> int:
        return int(self.c.read("getNumAvailableTrades"))

    def trade(self, slot: int) -> None:
        rng = self.rng
        for seller, buyer in ((1, 2), (5, 3)):
            price, energy = rng.choice([150, 200]), rng.choice([100, 300])
            number = self.trades
            if self.call(self.members[seller], self.c, "addAvailableTrade", slot, energy, price, 0) is None:
                bought = self.call(self.members[buyer], self.c, "buyEnergy", number, energy, energy * price)
                if bought is None:
                    self.promises.append(
                        Promise(slot, seller, energy, energy * price, consuming=False, number=number, buyer=buyer)
                    )

    def settle(self, promise: Promise) -> None:
        rule = "a delivery is settled after its window"
        self.must(self.members[promise.member], self.c, "settle", promise.number, [promise.buyer], rule=rule)

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        super().happened(who, on, function, arguments)
        if on is self.c and function == "settle":
            mine = [one for one in self.promises if one.number == arguments[0] and one.buyer in arguments[1]]
            for promise in mine:
                self.fair(promise)
        if on is self.c and function == "withdraw":
            for i in range(len(self.members)):
                self.earned[i] = int(self.c.read("credits", i))

    def fair(self, promise: Promise) -> None:
        """A seller that delivered has its price, to the unit."""
        wanted, promise.is_over = 0 if promise.is_over else promise.money, True  # who is settled is left out
        credit = int(self.c.read("credits", promise.member))
        gained = credit - self.earned.get(promise.member, 0)
        self.earned[promise.member] = credit
        rule = "an honest delivery brings its price"
        right = gained == wanted or not self.meters_are_true
        self.hold(right, f"{rule}: member {promise.member}, {gained} for {wanted}")

    def solvent(self) -> None:
        owed = sum(int(self.c.read("credits", i)) for i in range(int(self.registry.read("memberCount"))))
        held = int(self.token.read("balanceOf", self.c.address))
        self.hold(held >= owed, f"tokens cover all claims: {held} held, {owed} claimed")

    def leave(self) -> None:
        """Everybody honest takes out its credit."""
        for i, member in enumerate(self.members):
            credit = int(self.c.read("credits", i))
            if credit and self.is_honest(i):
                self.must(member, self.c, "withdraw", credit, rule="a credit leaves at once")
