"""What a hostile box can send as an order: its grant stretched, numbers that no word holds, more than can be locked."""

import json
from contextlib import closing
from dataclasses import replace

import pytest

from tests.services.street import SLOT
from tests.unit.test_box_trades import ADA, GATE, SETTLEMENT, START, Street
from transactive.core.boxes.messages import OrderRefused, SentOrder, unseal
from transactive.core.errors import OrderError
from transactive.core.proofs.order_records import order_bytes, order_of
from transactive.core.proofs.signed_orders import SignedOrder, domain, sign_order
from transactive.store.live.journal import ArrivalKind, Journal

HIGHEST = 150_000


@pytest.fixture
def street(tmp_path):
    """A market, and a box whose member lets it pay little."""
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        street = Street(tmp_path, journal)
        street.trader = street.trader_again((HIGHEST, -(2**62)))
        street.meet()
        street.at(START)
        street.home.end = GATE - SLOT
        yield street


@pytest.fixture
def own(street):
    """The box's own order, as it was taken."""
    (sent,) = (said for said in street.at(GATE - 60) if isinstance(said, SentOrder))
    return order_of(sent.order)


def send(street, own, order, **grant):
    again = sign_order(order, street.key.key, domain(31337, SETTLEMENT))
    return street.desk.take(
        order_bytes(SignedOrder(order, again.signature, replace(own.grant, **grant), own.granted)), ADA
    )


def test_no_number_that_hashes_alike_stretches_a_grant(street, own):
    cap = street.trader.terms.grid(own.order.slot * SLOT).cap
    dear = replace(own.order, serial=1, buys=((cap, 100),), sells=())
    assert cap > HIGHEST
    for highest in (HIGHEST, HIGHEST + 2**256, HIGHEST - 2**256):
        with pytest.raises(OrderError):
            send(street, own, dear, highest_buy=highest)
    assert len(street.journal.of_kinds((ArrivalKind.ORDER,), 0)) == 1


@pytest.mark.parametrize(
    "grant", [{"agent": "0xzz"}, {"agent": ""}, {"valid_until": 2**300}, {"largest_wh": -1}, {"account": -1}]
)
def test_a_grant_that_no_contract_can_read_is_refused(street, own, grant):
    with pytest.raises(OrderError) as refused:
        send(street, own, replace(own.order, serial=1), **grant)
    assert refused.value.reason == "signature"


def test_an_order_buys_no_more_than_can_be_locked(street, own):
    for steps in (((100_000, 2**63 - 1),), tuple((100_000, 10**9) for _ in range(64))):
        with pytest.raises(OrderError) as refused:
            send(street, own, replace(own.order, serial=1, buys=steps, sells=()))
        assert refused.value.reason == "energy"


@pytest.mark.parametrize("serial", [-1, 2**63, 2**256, 2**300])
def test_a_serial_that_no_state_can_keep_is_answered_and_not_taken(street, own, serial):
    record = {**json.loads(order_bytes(own)), "serial": serial}
    again = sign_order(replace(own.order, serial=serial), street.key.key, domain(31337, SETTLEMENT))
    said = SentOrder(json.dumps({**record, "signature": again.signature.hex()}).encode())
    (answer,) = street.counter.hear(street.key.address, street.say(said))
    told = unseal(answer, street.key.address, street.trader.market.market)
    assert isinstance(told, OrderRefused)
    assert told.reason == "signature"


@pytest.mark.parametrize("slot", [-(2**63), -1, 0, 2**31, 2**63, 2**256 - 1])
def test_a_slot_that_is_no_time_is_answered(street, own, slot):
    with pytest.raises(OrderError) as refused:
        send(street, own, replace(own.order, slot=slot))
    assert refused.value.reason == "slot"


def test_a_desk_forgets_the_orders_of_slots_that_are_over(street, own):
    for number in range(own.order.slot, own.order.slot + 8):
        street.clock.wait_until((number - 4) * SLOT - 1)
        send(street, own, replace(own.order, slot=number, serial=1))
    known = {slot for slot, _ in street.desk._known}
    assert known == set(range(own.order.slot + 2, own.order.slot + 7))  # the last one is read with the next
