"""Transports of direct trading: each keeps the rules, and nodes on real sockets agree."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing

import numpy as np
import pytest

from tests.direct_nodes import DOMAIN, GRID, OPERATOR, SLOT, best_welfare, draws, welfare, wishes
from tests.direct_nodes import Street as Nodes
from tests.waiting import until
from transactive.core.errors import InputError, RuleBroken
from transactive.core.proofs.deals.allowances import slot_key
from transactive.links.direct import transport as transports
from transactive.links.direct.conformance import check_transport
from transactive.links.direct.transport import Transport
from transactive.links.direct.udp import UdpTransport
from transactive.node.direct.slot import RoundClock, SlotNode
from transactive.trading.direct.gathering import MemberWish, roll_of
from transactive.trading.direct.negotiator import Negotiator
from transactive.trading.direct.terms import SlotTerms


def test_a_transport_keeps_the_rules() -> None:
    opens = transports.load("udp")
    assert opens is UdpTransport
    check_transport(lambda: opens("127.0.0.1"))


def free_endpoint() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp/127.0.0.1:{probe.getsockname()[1]}"


def test_zenoh_keeps_the_rules_through_a_peer_that_all_know() -> None:
    opens, known = transports.load("zenoh"), free_endpoint()
    with closing(opens(known)):
        check_transport(lambda: opens(f"{free_endpoint()} {known}"))
    with pytest.raises(InputError, match="give an endpoint like"):
        opens("nonsense")


class Worse(UdpTransport):
    """One that cuts what is long."""

    def send(self, contact: bytes, data: bytes) -> None:
        super().send(contact, data[:500])


def test_a_transport_that_cuts_datagrams_is_found() -> None:
    with pytest.raises(RuleBroken, match="of 1200 bytes arrives"):
        check_transport(Worse)


@pytest.mark.parametrize("listen", ["127.0.0.1:port", "127.0.0.1:65536", "256.0.0.1", "198.51.100.7", "0.0.0.0", ""])
def test_a_place_that_cannot_be_listened_at_is_named(listen: str) -> None:
    with pytest.raises(InputError, match="give HOST or HOST:PORT"):
        UdpTransport(listen)


def nodes_on(opened: list[Transport], made: list[MemberWish]) -> list[Negotiator]:
    """A node for each transport, which knows two others beforehand."""
    terms = SlotTerms(roll_of(SLOT, made), DOMAIN, OPERATOR, GRID, 0)
    contacts = [each.contact for each in opened]
    return [
        Negotiator(
            terms, slot_key(wish.secret, SLOT), wish.curve(SLOT, contacts[place]),
            [contacts[(place + step) % len(contacts)] for step in (1, -1)], draw,
        )
        for place, (wish, draw) in enumerate(zip(made, draws(len(made), 3), strict=True))
    ]  # fmt: skip


def pump(
    nodes: list[Negotiator], opened: list[Transport], say: Callable[[Negotiator], list[tuple[bytes, bytes]]]
) -> None:
    """All say something once, and hear what has come."""
    for node, own in zip(nodes, opened, strict=True):
        for contact, data in say(node):
            own.send(contact, data)
    for node, own in zip(nodes, opened, strict=True):
        while (heard := own.receive(0)) is not None:
            for contact, data in node.hear(heard[1], heard[0]):
                own.send(contact, data)


def test_nodes_agree_over_sockets_and_no_packet_leaves_for_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts: set[str] = set()
    sendto = socket.socket.sendto

    class Watched(socket.socket):
        def sendto(self, data: bytes, address: tuple[str, int]) -> int:  # type: ignore[override]
            hosts.add(address[0])
            return sendto(self, data, address)

    monkeypatch.setattr(socket, "socket", Watched)
    made = wishes(6, 2)
    with ExitStack() as stack:
        opened: list[Transport] = [stack.enter_context(closing(UdpTransport())) for _ in made]
        nodes = nodes_on(opened, made)
        for node in nodes:
            node.begin(0)

        def all_know() -> bool:
            pump(nodes, opened, Negotiator.talk)
            return all(node.board.is_full for node in nodes)

        until(all_know, "all know all quotes")
        pump(nodes, opened, Negotiator.propose)

        def all_answered() -> bool:
            pump(nodes, opened, Negotiator.again)
            return not any(node.purse.pending() for node in nodes)

        until(all_answered, "all bids are answered")
    street = Nodes(nodes, [], [], made)
    positions = {node.seat: node.purse.position for node in nodes}
    assert welfare(street, [positions[seat] for seat in range(6)]) == best_welfare(street)
    street.check()
    assert hosts == {"127.0.0.1"}


class Lossy(UdpTransport):
    """One that loses a fifth of what it sends."""

    def __init__(self, chance: np.random.Generator) -> None:
        super().__init__()
        self._chance = chance

    def send(self, contact: bytes, data: bytes) -> None:
        if self._chance.random() >= 0.2:
            super().send(contact, data)


@pytest.mark.long
def test_nodes_by_the_clock_agree_while_a_fifth_of_all_datagrams_is_lost() -> None:
    made = wishes(20, 7)
    with ExitStack() as stack:
        chances = np.random.default_rng(4).spawn(len(made))
        opened: list[Transport] = [stack.enter_context(closing(Lossy(chance))) for chance in chances]
        nodes = nodes_on(opened, made)
        schedule = RoundClock(time.monotonic() + 1, rounds=3, asking=8, dealing=3, tick=0.3)
        running = [SlotNode(node, own, time.monotonic) for node, own in zip(nodes, opened, strict=True)]
        threads = [threading.Thread(target=each.run, args=(schedule,)) for each in running]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    street = Nodes(nodes, [], [], made)
    street.check()
    deals = {deal.hash: deal for node in nodes for deal in node.deals}.values()
    positions = [0] * len(nodes)
    for deal in deals:
        positions[street.terms.roll.seats[deal.bid.buyer]] += deal.energy_wh
        positions[street.terms.roll.seats[deal.bid.seller]] -= deal.energy_wh
    assert welfare(street, positions) >= 0.995 * best_welfare(street)
    assert all(each.sent and each.sent_bytes for each in running)


def test_a_node_that_comes_late_begins_with_the_round_that_is_on() -> None:
    with closing(UdpTransport()) as own:
        node = nodes_on([own], wishes(1, 1))[0]
        clock = iter(np.arange(25, 10**4, 0.5).tolist())
        SlotNode(node, own, lambda: next(clock)).run(RoundClock(0, rounds=3, asking=9, dealing=1, tick=0.01))
    assert node.board.round == 2
