"""Members trade directly: buyers, sellers and an operator that may be dishonest, and a judge of deals between them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tests.fuzz.adversary.drawing import by_type
from tests.fuzz.adversary.stage import Stage
from tests.fuzz.adversary.terms import (
    BOND,
    DEPTH,
    FIRST,
    LEAD,
    NOTICE,
    PENALTY,
    PERIOD,
    SILENCE,
    SLOT,
    SLOTS,
    UNLIMITED,
    WALLET,
    WINDOW,
)
from tests.fuzz.bound import NOBODY, Bound, Person
from transactive.chain.commitments import Commitment, Opening, head_of
from transactive.chain.disputes import evidence
from transactive.chain.disputes.deals import evidence as of_deals
from transactive.chain.disputes.deals.evidence import BindingDeal, SignedAllowance
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.chain.history import opening
from transactive.core.proofs import signing
from transactive.core.proofs.deals.allowances import Allowance, member_commitment, slot_key, slot_salt
from transactive.core.proofs.deals.deal import Award, Bid, SignedDeal
from transactive.core.proofs.deals.deal_receipts import DealReceipt
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import Fills, Order, SignedOrder, domain, orders_hash, sign_order
from transactive.core.proofs.slot_tree import SlotTree

BUYERS, SELLERS = (0, 1, 2), (3, 4, 5)
"""Indices; the first of each may be dishonest."""
AHEAD, MOST = LEAD * SLOT, 1_000
LOWEST, HIGHEST, PRICES = 80, 250, (100, 120)
SHOWN_AT_ONCE = 16
SEEN_IN_TIME = "a deal that the operator saw in time is settled, or it pays"
NOT_FRAMED = "an honest operator is never convicted"
KEPT = "a posted deal of honest members binds"


@dataclass(slots=True)
class Trades:
    """What is agreed for a slot: deals with the operator's receipt, posts in their order, and what was committed."""

    receipted: dict[bytes, bytes] = field(default_factory=dict)
    deals: dict[bytes, SignedDeal] = field(default_factory=dict)
    posts: dict[bytes, int] = field(default_factory=dict)
    fills: dict[int, Fills] = field(default_factory=dict)
    tree: SlotTree | None = None


class Deals(Stage):
    """Six members: three buy and three sell, each with an order that covers its allowance at every price."""

    contract = "roles_of_deals"
    roles = ("operator", "buyer", "seller", "owner", "stranger")
    often = "operator"
    steps = (1, 30, SLOT // 3, SLOT)

    def begin(self) -> None:
        self.now = FIRST * PERIOD - SLOT + 1
        names = ("owner", "operator", "arbiter", "ramp", "stranger")
        self.owner, self.operator, self.arbiter, self.ramp, self.stranger = map(Person.named, names)
        self.members = [Person.named("buyer" if i in BUYERS else "seller", i) for i in (*BUYERS, *SELLERS)]
        everybody = [self.owner, self.operator, self.arbiter, self.ramp, self.stranger, *self.members]
        self.people = {person.address: person for person in everybody}
        self._deploy()
        self.domain = domain(CHAIN_ID, self.c.address)
        self.key_of: dict[str, int] = {}
        """Members by their keys of slots."""
        self.serial = 0
        self.bond, self.convicted = BOND, 0
        self.slots: dict[int, Trades] = defaultdict(Trades)
        self.chains: dict[int, list[Commitment]] = defaultdict(list)
        slot = self.now // SLOT + 1
        self.due(slot * SLOT, lambda: self.boundary(slot))

    def _deploy(self) -> None:
        by = self.owner
        self.token = self.deploy(by, "currency", "Test", "TST", 2**80)
        rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, PENALTY, self.arbiter.address, LEAD, NOBODY)
        self.c = self.deploy(by, "settlement", self.token.address, *rules)
        self.disputes = self.deploy(by, "disputes", self.c.address)
        self.judges = self.deploy(by, "judges", self.disputes.address)
        self.demands = self.deploy(by, "demands", self.judges.address)
        self.court = self.deploy(by, "deals", self.judges.address, AHEAD, LOWEST, HIGHEST)
        self.c.do(by.address, "setDisputes", self.disputes.address)
        self.disputes.do(by.address, "setDemands", self.judges.address)
        self.judges.do(by.address, "setJudges", [self.demands.address, self.court.address])
        self.c.do(by.address, "offerOperator", self.operator.address)
        self.c.do(self.operator.address, "acceptOperator")
        self.c.do(by.address, "setArbiter", self.arbiter.address)
        self.token.do(by.address, "setMinter", self.ramp.address, *[True])
        self.token.do(self.ramp.address, "mint", self.operator.address, WALLET)
        self.token.do(self.operator.address, "approve", self.c.address, UNLIMITED)
        self.c.do(self.operator.address, "fundBond", BOND)
        for member in self.members:
            self.c.do(self.operator.address, "register", member.address)

    def is_honest_member(self, index: int) -> bool:
        """Whether the rules protect a member."""
        first = {BUYERS[0]: "buyer", SELLERS[0]: "seller"}
        return index not in first or self.honest(first[index])

    # -- what members sign

    def key(self, index: int, slot: int) -> bytes:
        """A member's private key for a slot."""
        made = slot_key(self._secret(index), slot)
        self.key_of[signing.address_of(made)] = index
        return made

    def salt(self, index: int, slot: int) -> bytes:
        """What opens its allowance."""
        return slot_salt(self._secret(index), slot)

    def _secret(self, index: int) -> bytes:
        key = self.members[index].key
        assert key
        return bytes(key.key)

    def allowed(self, index: int, slot: int) -> SignedAllowance:
        """The operator's allowance."""
        key = signing.address_of(self.key(index, slot))
        given = Allowance(slot, key, member_commitment(index, self.salt(index, slot)), MOST, MOST)
        assert self.operator.key
        return SignedAllowance(given, given.sign(bytes(self.operator.key.key), self.domain))

    def deal(
        self,
        buyer: int,
        seller: int,
        slot: int,
        energy: int,
        price: int,
        bid: Bid | None = None,
        most: int = 0,
        serial: int | None = None,
    ) -> SignedDeal:
        """A deal; bid: of a deal that there is; serial: of another bid."""
        self.serial += 1
        keys = self.key(buyer, slot), self.key(seller, slot)
        parties = [signing.address_of(key) for key in keys]
        bid = bid or Bid(
            slot, 0, parties[0], parties[1], most or energy, price, self.serial if serial is None else serial
        )
        hashes = bid.hash, Award(bid.hash, energy).hash
        signed = [
            signing.sign(signing.digest(self.domain, hash_), key) for hash_, key in zip(hashes, keys, strict=True)
        ]
        return SignedDeal(bid, energy, *signed)

    def sides(self, deal: SignedDeal) -> tuple[tuple[int, bool], tuple[int, bool]]:
        """Both members of a deal, and whether they buy."""
        return (self.key_of[deal.bid.buyer], True), (self.key_of[deal.bid.seller], False)

    # -- a slot

    def boundary(self, slot: int) -> None:
        """A slot begins: deals of a later one are made, the one before is committed."""
        self.due((slot + 1) * SLOT, lambda: self.boundary(slot + 1))
        if slot - 1 >= FIRST * SLOTS:
            self.commit(slot - 1)
        for buyer in BUYERS:
            if self.is_honest_member(buyer):
                self.due(self.now + 1 + self.rng.randrange(SLOT // 2), partial(self.agree, buyer, slot + LEAD + 1))

    def agree(self, buyer: int, slot: int) -> None:
        """An honest buyer and a seller make a deal within what both may trade; it is receipted, or posted."""
        seller = self.rng.choice(SELLERS)
        energy, price = self.rng.choice([100, 250, 300]), self.rng.choice(PRICES)
        if not self.is_honest_member(seller) or not self.fits(slot, buyer, seller, energy):
            return
        made = self.deal(buyer, seller, slot, energy, price)
        self.slots[slot].deals[made.hash] = made
        if self.honest("operator") and self.rng.random() < 0.5:
            self.receipt(made)
        else:
            arguments = (of_deals.signed(made),)
            self.must(
                self.stranger, self.court, "post", *arguments, rule="nobody keeps a deal out that is posted in time"
            )

    def receipt(self, deal: SignedDeal) -> None:
        """The operator answers a deal."""
        assert self.operator.key
        made = DealReceipt(deal.hash).sign(bytes(self.operator.key.key), self.domain)
        self.slots[deal.bid.slot].receipted[deal.hash] = made

    def fits(self, slot: int, buyer: int, seller: int, energy: int) -> bool:
        """Whether an honest member may sign as much more."""
        given: dict[tuple[int, bool], int] = defaultdict(int)
        for deal in self.slots[slot].deals.values():
            for side in self.sides(deal):
                given[side] += deal.energy_wh
        return all(
            given[side] + energy <= MOST for side in ((buyer, True), (seller, False)) if self.is_honest_member(side[0])
        )

    def binding(self, slot: int) -> list[SignedDeal]:
        """Deals that the operator must settle, to one of their members at least."""
        trades = self.slots[slot]
        posted = [hash_ for hash_ in trades.posts if 0 < self.court.read("postedAt", hash_) < UNLIMITED]
        return [trades.deals[hash_] for hash_ in dict.fromkeys([*trades.receipted, *posted])]

    def excuse(self, slot: int) -> None:
        """An honest operator shows what was posted beyond an allowance, and second awards for a bid."""
        first: dict[bytes, SignedDeal] = {}
        for deal in self.binding(slot):
            twin = first.setdefault(deal.bid.hash, deal)
            if twin is not deal:
                both = of_deals.signed(twin), of_deals.signed(deal)
                self.must(self.operator, self.court, "showTwice", *both, rule="a second award is shown")
        trades = self.slots[slot]
        bids: dict[tuple[str, int], SignedDeal] = {}
        for deal in self.binding(slot):
            one = bids.setdefault((deal.bid.buyer, deal.bid.serial), deal)
            if one.bid.contradicts(deal.bid):
                self.shown(of_deals.signed(one), of_deals.signed(deal), deal.bid.buyer, slot)
        for side in {side for deal in self.binding(slot) for side in self.sides(deal)}:
            deals = [deal for deal in self.binding(slot) if side in self.sides(deal)]
            if sum(deal.energy_wh for deal in deals) <= MOST:
                continue
            known = [deal for deal in deals if not self.court.read("isCounted", deal.bid.hash, side[1])]
            known.sort(
                key=lambda deal: (int(self.court.read("postedAt", deal.hash)), list(trades.deals).index(deal.hash))
            )
            for at in range(0, len(known), SHOWN_AT_ONCE):
                some = [of_deals.signed(deal) for deal in known[at : at + SHOWN_AT_ONCE]]
                own = self.allowed(side[0], slot).content
                self.must(self.operator, self.court, "showBeyond", own, side[1], some, rule="what is beyond is shown")
            self.bar(side[0], slot)

    def shown(self, one: Any, two: Any, key: str, slot: int) -> None:
        """Two bids with one serial, which the contract remembers: once, and the member behind the key is named."""
        if not self.court.read("cheatedAt", key):
            self.must(self.operator, self.court, "showTwice", one, two, rule="a second bid is shown")
            self.bar(self.key_of[key], slot)

    def bar(self, index: int, slot: int) -> None:
        """Name the member behind a key that cheated, unless it is named."""
        own = self.allowed(index, slot)
        cheated = int(self.court.read("cheatedAt", own.allowance.key))
        if cheated and not self.court.read("barred", index):
            self.must(
                self.operator, self.court, "bar", slot, own.content, index, self.salt(index, slot),
                rule="who cheated is named",
            )  # fmt: skip

    # -- what is committed, and judged

    def commit(self, slot: int) -> None:
        """The operator commits a slot: all that binds it, or less."""
        trades, deals = self.slots[slot], self.binding(slot)
        missing = [deal for deal in deals if not self.honest("operator") and self.rng.random() < 0.3]
        self._commit(slot, [deal for deal in deals if deal not in missing])
        self.judge(slot)
        if trades.tree is None:
            self._commit(slot, deals)  # taken back: now as it should be
            self.judge(slot)

    def _commit(self, slot: int, deals: list[SignedDeal]) -> None:
        steps: dict[int, tuple[dict[int, int], dict[int, int]]] = defaultdict(
            lambda: (defaultdict(int), defaultdict(int))
        )
        money = np.zeros((len(self.members), 4), np.int64)
        for deal in deals:
            for index, buys in self.sides(deal):
                steps[index][not buys][deal.bid.price] += deal.energy_wh
                money[index, int(not buys)] += deal.amount_n
                money[index, 2 + int(not buys)] += deal.energy_wh
        trades = self.slots[slot]
        trades.fills = {
            index: Fills(tuple(sorted(bought.items(), reverse=True)), tuple(sorted(sold.items())))
            for index, (bought, sold) in steps.items()
        }
        everybody = range(len(self.members))
        fills = [trades.fills.get(index, Fills()).hash for index in everybody]
        orders = [orders_hash([self.order(index, slot)]) for index in everybody]
        nothing = np.zeros_like(money)
        made = SlotLeaves(slot, money, nothing, money, nothing, fills, orders)
        tree = trades.tree = SlotTree(made, DEPTH, b"deals", self.convicted)
        commitment = Commitment(slot, tree.root, ZERO, tree.money, tree.energy, 0)
        self.chains[slot // SLOTS].append(commitment)
        self.must(self.operator, self.c, "commitSlot", *commitment.content, rule="a slot is committed")

    def order(self, index: int, slot: int) -> SignedOrder:
        """The order that covers a member's allowance at every price."""
        key = self.members[index].key
        assert key
        made = Order(index, slot, 0, ((HIGHEST, MOST),), ((LOWEST, MOST),))
        return sign_order(made, bytes(key.key), self.domain)

    def opening(self, slot: int) -> Opening | None:
        """Opening of a slot's commitment, if it counts."""
        chain = self.chains[slot // SLOTS]
        places = [place for place, made in enumerate(chain) if made.slot == slot]
        return opening(chain, places[0], SLOTS) if places else None

    def judge(self, slot: int) -> None:
        """Honest members look whether their deals were settled, and show each that was not."""
        trades = self.slots[slot]
        for deal in self.binding(slot):
            for index, buys in self.sides(deal):
                if trades.tree is None or not self.is_honest_member(index):
                    continue
                same = [
                    other
                    for other in self.binding(slot)
                    if (index, buys) in self.sides(other) and other.bid.price == deal.bid.price
                ]
                fills = trades.fills.get(index, Fills())
                settled = dict(fills.buys if buys else fills.sells).get(deal.bid.price, 0)
                if sum(other.energy_wh for other in same) > settled:
                    self.must(
                        self.members[index], self.court, "challengeDeals",
                        *self.evidence(slot, index, buys, same[:SHOWN_AT_ONCE]), rule=SEEN_IN_TIME,
                    )  # fmt: skip

    def evidence(self, slot: int, index: int, buys: bool, deals: list[SignedDeal]) -> tuple[Any, ...]:
        """Arguments of the challenge."""
        trades, shown = self.slots[slot], self.opening(slot)
        assert trades.tree
        assert shown
        claims = of_deals.in_order([self.claim(deal, buys=buys) for deal in deals])
        fills = trades.fills.get(index, Fills())
        leaf = evidence.shown(index, trades.tree.leaf(index), trades.tree.proof(index))
        own, salt = self.allowed(index, slot).content, self.salt(index, slot)
        content = [claim.content(is_buyer=buys) for claim in claims]
        return shown.content, leaf, fills.content, own, salt, buys, deals[0].bid.price, content

    def claim(self, deal: SignedDeal, *, buys: bool) -> BindingDeal:
        """A deal with what binds the operator."""
        slot, receipt = deal.bid.slot, self.slots[deal.bid.slot].receipted.get(deal.hash)
        if receipt:
            return BindingDeal(deal, receipt)
        (buyer, _), (seller, _) = self.sides(deal)
        return BindingDeal(deal, partner=self.allowed(seller if buys else buyer, slot))

    # -- rules

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        if function == "post":
            self.posted(arguments[0])
        bond = int(self.c.read("bond"))
        if bond < self.bond:
            self.hold(not self.honest("operator"), f"{NOT_FRAMED}: {on.name}.{function} of {who.role}")
            self.rewound()
            self.token.do(self.ramp.address, "mint", self.operator.address, PENALTY)
            self.c.do(self.operator.address, "fundBond", PENALTY)
            self.convicted += 1
        for slot in sorted(self.slots)[-4:]:
            for hash_, deal in self.slots[slot].deals.items():
                if hash_ in self.slots[slot].posts and all(self.is_honest_member(one) for one, _ in self.sides(deal)):
                    binds = 0 < self.court.read("postedAt", hash_) < UNLIMITED
                    self.hold(binds, f"{KEPT}: {on.name}.{function} of {who.role}")
        for index in filter(self.is_honest_member, range(len(self.members))):
            self.hold(self.court.read("barred", index) == 0, f"nobody is barred who kept to its word: member {index}")

    def posted(self, content: Any) -> None:
        """A deal binds from now on."""
        slot = content[0][0]
        hash_ = bytes(self.court.read("hashOf", content[0]))
        self.slots[slot].posts[hash_] = self.now
        if self.honest("operator"):
            self.due(self.now + 1, lambda: self.excuse(slot))

    def rewound(self) -> None:
        """Drop commitments that count no more."""
        for period, chain in self.chains.items():
            head = self.c.read("heads", period)
            while chain and head_of(chain) != head:
                self.slots[chain.pop().slot].tree = None

    # -- what the coalition does

    def mischief(self) -> None:
        rng = self.rng
        acts = [self.anything]
        if not self.honest("buyer") or not self.honest("seller"):
            acts += [self.crooked_deal] * 3 + [self.crooked_challenge] * 2
        if "stranger" in self.coalition:
            acts += [self.crooked_challenge, self.trade_challenge]
        rng.choice(acts)()

    def crooked_deal(self) -> None:
        """A deal beyond the allowance, a second award, or a bid with a used serial: posted."""
        rng, slot = self.rng, self.now // SLOT + LEAD + 1 + self.rng.randrange(2)
        crooks = [i for i in (*BUYERS, *SELLERS) if not self.is_honest_member(i)]
        buyer = rng.choice([i for i in BUYERS if i in crooks] or [BUYERS[0]])
        seller = rng.choice([i for i in SELLERS if i in crooks] or SELLERS)
        kind, energy, price = rng.randrange(3), rng.choice([30, 400, 700, MOST + 1]), rng.choice(PRICES)
        if not all(map(self._signs, (buyer, seller))) and not self.fits(slot, buyer, seller, energy):
            return
        mine = [deal for deal in self.slots[slot].deals.values() if self.sides(deal)[1][0] in crooks]
        if kind == 1 and mine:
            other = rng.choice(mine)
            (buyer, _), (seller, _) = self.sides(other)
            made = self.deal(buyer, seller, slot, 1 + rng.randrange(other.bid.most_wh), price, other.bid)
        else:
            used = [deal.bid.serial for deal in self.slots[slot].deals.values() if self.sides(deal)[0][0] == buyer]
            serial = rng.choice(used) if kind == 2 and used and self._signs(buyer) else None
            made = self.deal(buyer, seller, slot, energy, price, most=energy + rng.choice([0, 100]), serial=serial)
        who = self.members[seller if seller in crooks else buyer]
        self.slots[slot].deals.setdefault(made.hash, made)
        trades = self.slots[slot]
        refused = self.call(who, self.court, "post", of_deals.signed(made)) is not None
        if refused and made.hash not in trades.posts and made.hash not in trades.receipted:
            del trades.deals[made.hash]

    def _signs(self, index: int) -> bool:
        """Whether a member signs whatever it likes."""
        return not self.is_honest_member(index)

    def crooked_challenge(self) -> None:
        """Deals of a dishonest member against an honest leaf, with signatures that there are."""
        rng = self.rng
        committed = [slot for slot, trades in self.slots.items() if trades.tree and trades.deals and self.opening(slot)]
        if not committed:
            return
        slot = rng.choice(committed[-4:])
        deals = list(self.slots[slot].deals.values())
        deal, buys = rng.choice(deals), rng.random() < 0.5
        index = self.sides(deal)[not buys][0]
        some = [
            other for other in deals if self.sides(other)[not buys][0] == index and other.bid.price == deal.bid.price
        ]
        who = self.stranger if self.is_honest_member(index) else self.members[index]
        self.call(who, self.court, "challengeDeals", *self.evidence(slot, index, buys, some[:SHOWN_AT_ONCE]))

    def trade_challenge(self) -> None:
        """What was settled against the order that covers the allowance."""
        committed = [slot for slot, trades in self.slots.items() if trades.tree and self.opening(slot)]
        if not committed:
            return
        slot, index = self.rng.choice(committed[-4:]), self.rng.randrange(len(self.members))
        trades, shown = self.slots[slot], self.opening(slot)
        assert trades.tree
        assert shown
        leaf = evidence.shown(index, trades.tree.leaf(index), trades.tree.proof(index))
        trade = evidence.trade([self.order(index, slot)], trades.fills.get(index, Fills()))
        self.call(self.stranger, self.disputes, "challengeTrade", shown.content, leaf, *trade)

    def anything(self) -> None:
        """A call with arguments by their types alone."""
        rng = self.rng
        who = {"owner": self.owner, "operator": self.operator, "stranger": self.stranger}.get(
            rng.choice(sorted(self.coalition)), self.members[rng.choice([BUYERS[0], SELLERS[0]])]
        )
        on = rng.choice([self.court, self.judges])
        function = rng.choice(sorted(name for name, made in on.functions.items() if made.writes))
        self.call(who, on, function, *[by_type(rng, kind, self.people) for kind in on.functions[function].takes])

    def leave(self) -> None:
        """Every slot that is over was committed and judged."""
        self.advance((self.now // SLOT + 1) * SLOT)
