"""The counter for boxes: who is enrolled gets terms, an answer to each order, and its commands again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from transactive.config.setting import Setting
from transactive.core.boxes.direct import AskRoll, AskSeat, NodeReport, ShowDeals
from transactive.core.boxes.messages import (
    AskBlocks,
    AskTerms,
    ChainBlocks,
    HasCommand,
    HasLeaf,
    NotFollowed,
    OnDisk,
    OrderRefused,
    OrderTaken,
    Said,
    SentOrder,
    Terms,
    Told,
    Welcome,
    market_proof,
    said_of,
    seal,
)  # fmt: skip
from transactive.core.errors import DataError, OrderError, SignatureError
from transactive.core.proofs.signing import address_of
from transactive.core.slots import DAY
from transactive.engine.live.boxes.commands import BoxCommands
from transactive.engine.live.boxes.leaf_teller import LeafTeller
from transactive.engine.live.collector import Collector
from transactive.engine.live.direct.desk import DirectDesk
from transactive.engine.live.order_desk import OrderDesk
from transactive.engine.live.waiting import Time

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain

MOST_A_MINUTE = 300
"""Messages of one box that are answered in a minute on the wall: far more than it has to say."""
TOLD_AHEAD = 2 * DAY
"""How far ahead prices are told to a box, which plans its battery by them [s]."""


class BoxCounter:
    """Answers boxes, in the name of the market's operator, from the moment on in which its chain is there."""

    def __init__(
        self,
        setting: Setting,
        slots: range,
        collector: Collector,
        desk: OrderDesk,
        commands: BoxCommands,
        clock: Time,
        leaves: LeafTeller,
        blocks: Callable[[int], ChainBlocks | None] = lambda _: None,
        direct: DirectDesk | None = None,
    ) -> None:
        """blocks: of the market's own chain from a number on, None where there are none. direct: of such a market."""
        self.direct = direct
        self._blocks = blocks
        self._commands, self.leaves = commands, leaves
        self._setting, self._slots, self._collector, self._desk = setting, slots, collector, desk
        self._clock = clock
        self._chain: CommunityChain | None = None
        self._key = b""
        self._minute, self._heard = 0, Counter[str]()

    def open(self, chain: CommunityChain) -> None:
        """Answer from now on, and let orders in."""
        self._desk.open(chain)
        if self.direct:
            self.direct.open(chain)
        self.speak_by(bytes(chain.keys.role("operator").key))
        self._chain = chain

    def speak_by(self, key: bytes) -> None:
        """Sign what boxes are told, which before say their records again: their counts, too."""
        self._key = key

    def on_disk(self, meter: str) -> bytes | None:
        """How many records of a meter (address) are on disk, with receipts; None for a stranger, or without a key."""
        count = self._collector.count(meter) if self._key else None
        return None if count is None else self.sealed(meter, OnDisk(count, self._collector.receipts(meter)))

    def welcome(self, meter: str, code: str) -> bytes | None:
        """What a meter (address) that was invited with a code is told of the market; None before there is a key."""
        if self._chain is None:
            return None
        market = address_of(self._key)
        return self.sealed(meter, Welcome(market, market_proof(code, meter, market)))

    def hear(self, meter: str, payload: bytes) -> list[bytes]:
        """The answers to a message of a meter (address); none to a stranger's, and to what is no message."""
        member = self._collector.member_of(meter)
        if member is None or self._chain is None:
            return []
        try:
            said = said_of(payload, meter)
        except (DataError, SignatureError) as error:
            self._desk.refused["torn" if isinstance(error, DataError) else "signature"] += 1
            return []
        if not self._has_time_for(meter):
            self._desk.refused["often"] += 1
            return []
        return [self.sealed(meter, answer) for answer in self._answers(said, meter, member, self._chain)]

    def _answers(self, said: Said, meter: str, member: int, chain: CommunityChain) -> list[Told]:
        """The answers to what a member's box says."""
        answers: list[Told] = []
        match said:
            case AskTerms():
                answers = [
                    self._terms(member, chain),
                    *self._commands.open_for(meter),
                    *self.leaves.open_for(member),
                ]
            case SentOrder():
                answers = [self._take(said, member)]
            case HasCommand():
                answers = [*self._commands.heard(meter, member, said)]
            case NotFollowed():
                self._commands.not_followed(member, said.device, said.why)
            case HasLeaf():
                answers = [*self.leaves.heard(member, said)]
            case AskBlocks():
                found = self._blocks(said.first)
                answers = [found] if found else []
            case AskSeat() | AskRoll() | ShowDeals() | NodeReport():
                told = self.direct.hear(said, member) if self.direct else None
                answers = [told] if told else []
        return answers

    def _has_time_for(self, meter: str) -> bool:
        """Whether a meter may say one more thing in this minute: a box that asks without end keeps no other waiting."""
        minute = int(time.monotonic()) // 60
        if minute != self._minute:
            self._minute, self._heard = minute, Counter()
        self._heard[meter] += 1
        return self._heard[meter] <= MOST_A_MINUTE

    def sealed(self, meter: str, told: Told) -> bytes:
        """A message to a meter (address), with the market's signature."""
        return seal(told, meter, self._key)

    def _take(self, said: SentOrder, member: int) -> OrderTaken | OrderRefused:
        """Take an order of a member's box, or say why not."""
        try:
            taken = self._desk.take(said.order, member)
        except OrderError as error:
            return OrderRefused(error.reason, str(error))
        return OrderTaken(taken.order.slot, taken.order.serial, taken.number, taken.received, taken.receipt)

    def _terms(self, member: int, chain: CommunityChain) -> Terms:
        """What a member's box needs to trade, from the slot that is on to two days ahead."""
        clock, setting = self._setting.community.clock, self._setting
        first = max(self._clock.now // clock.length * clock.length, self._slots[0])
        end = min(first + TOLD_AHEAD, setting.end)
        community = setting.community.at(first)
        devices = community.devices
        tariffs = [setting.tariff(slot) for slot in range(first, end, clock.length)]
        supply, feed_in, fee = (tuple(getattr(t, name) for t in tariffs) for name in ("supply", "feed_in", "fee"))
        return Terms(
            account=member,
            address=str(chain.keys.account(member).address),
            chain_id=chain.chain_id,
            settlement=chain.address,
            slot_seconds=clock.length,
            lead=clock.lead,
            tick=community.market.tick_micro_per_kwh,
            first=first,
            supply=supply,
            feed_in=feed_in,
            fee=fee,
            pv_wh=int(devices.pv_wh[member]),
            power_wh=int(devices.power_wh[member]),
            capacity_wh=int(devices.capacity_wh[member]),
            efficiency_ppm=int(devices.efficiency_ppm[member]),
            currency=community.currency,
        )
