"""The two markets with delivery: honest members keep their promises and bring their meters' words in time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from tests.contract.market_world import DELAY, GATE, METER_OWNERS, ROLES, SLOT, WINDOW
from tests.fuzz.adversary.drawing import by_type, names_of
from tests.fuzz.adversary.markets.delivery import REACTION, Deliveries, Promise
from tests.fuzz.adversary.stage import Stage
from tests.fuzz.adversary.terms import UNLIMITED, WALLET
from tests.fuzz.bound import Bound, Person

START, AHEAD = 2_000_000 * SLOT, 4
FOR_EVER = 2**63
TRADING = AHEAD * SLOT - GATE - 300
"""For so long after a slot was opened honest members trade for it [s]."""
BASE, FLOOR, CAP, SCALE, LIMIT = 200, 80, 300, 600, 2_400
"""A small market: what few people promise moves the price from end to end."""
CROOK = 4
"""The member that may be dishonest: one with a store, which may sell and buy."""
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
        self.deliveries = Deliveries(self)
        self.names = {name: names_of(c.name) for name, c in self.bounds.items()}
        writing = [(c, f) for c in self.bounds.values() for f, made in c.functions.items() if made.writes]
        self.entries = [one for one in writing if one[1] not in ("transfer", "approve", "burn", "mint")]
        self.newest = 0
        """Slot that was opened last."""
        self.open_for_business()
        slot = self.now // SLOT
        self.due((slot + 1) * SLOT, lambda: self.boundary(slot + 1))

    def is_honest(self, index: int) -> bool:
        """Whether the rules protect a member."""
        return index != CROOK or self.honest("member")

    # -- a kind of market says

    @abstractmethod
    def open_for_business(self) -> None:
        """Money that is there from the beginning."""

    @abstractmethod
    def trade(self, slot: int) -> None:
        """Let honest members trade for a slot, each when it likes."""

    @abstractmethod
    def settled_together(self, kept: list[Promise]) -> list[list[Promise]]:
        """Promises that one call can settle."""

    @abstractmethod
    def settle(self, group: list[Promise]) -> None:
        """After the window: promises that were kept bring their price."""

    # -- a slot

    def boundary(self, number: int) -> None:
        """A slot begins: trades of a later one, and deliveries of the one before."""
        self.due((number + 1) * SLOT, lambda: self.boundary(number + 1))
        self.newest = (number + AHEAD) * SLOT
        self.trade(self.newest)
        self.deliveries.slot_is_over((number - 1) * SLOT)

    def soon(self) -> int:
        """Some time while trade goes on."""
        return self.now + 1 + self.rng.randrange(TRADING)

    # -- rules

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        if function in ("endMeter", "addMeter"):
            self.deliveries.meters_are_true = False  # the registrar is trusted for them
        if function == "certifyBatch":
            self.deliveries.were_stated(*arguments)
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
            "member": self.members[CROOK],
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
        waiting = [one.slot for one in self.deliveries.promises[-20:] if not one.is_over]
        near = (self.now // SLOT + self.rng.randrange(-5, AHEAD + 1)) * SLOT
        return self.rng.choice([self.newest, near, self.rng.choice(waiting or [near])])

    def one(self, name: str, kind: str) -> Any:
        """One argument, by name and type."""
        rng = self.rng
        index, meter = rng.randrange(len(self.members)), rng.randrange(len(self.meters))
        numbers: dict[str, Any] = {
            "slot": self.slot, "index": index, "owner": index, "meter": meter, "members": [index], "buyers": [index],
            "readings": [(meter, rng.choice([0, 100, 1_000]), rng.choice([0, 100]))],
            "trade": rng.randrange(max(self.trades, 1)), "base": BASE, "floorPrice": FLOOR, "capPrice": CAP,
            "scale": SCALE, "limit": rng.choice([LIMIT, 0, UNLIMITED]), "least": 1,
            "most": rng.choice([10, 300, 2_000]), "energy": rng.choice([1, 10, 100]),
            "price": rng.choice([1, 200]), "total": rng.choice([1, 200, 2_000]),
            "expiry": 0, "roles": rng.randrange(1, 8), "validUntil": self.now + SLOT, "validFrom": 0, "node": 0,
        }  # fmt: skip
        if name in numbers and kind != "address":
            return numbers[name]
        return by_type(rng, kind, self.people)

    @property
    def trades(self) -> int:
        """Trades that there are."""
        return 0
