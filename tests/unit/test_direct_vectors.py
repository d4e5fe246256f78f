"""Test vectors of direct trading: what another program must compute, byte for byte.

`python -m tests.unit.test_direct_vectors` writes them anew.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.direct_nodes import DOMAIN, GRID, SLOT, Street, wish
from transactive.core.proofs import signing
from transactive.core.proofs.deals.allowances import slot_key, slot_salt
from transactive.trading.direct import messages
from transactive.trading.direct.complaints import left_out
from transactive.trading.direct.messages import SentAward, SentBid
from transactive.trading.direct.negotiator import Negotiator
from transactive.trading.direct.plan import QuotedKey, plan

VECTORS = Path(__file__).parents[2] / "examples" / "direct" / "vectors.json"
OPERATOR = sha256(b"operator").digest()
BOOKS: list[dict[str, list[tuple[int, int]]]] = [
    {"sells": [(100_000, 1_000), (130_000, 500)]},
    {"buys": [(200_000, 700)]},
    {"buys": [(190_000, 900), (120_000, 400)]},
    {"sells": [(120_000, 800)], "buys": [(90_000, 300)]},
]
PLANS = [
    [(0, -1_000, [(100_000, 1_000)]), (0, 0, [(200_000, 700)]), (0, 0, [(190_000, 900)]), (0, -800, [(120_000, 800)])],
    [(-500, -1_000, [(100_000, 1_000)]), (500, 0, [(90_000, 700)])],
    [(0, 0, [(200_000, 10)]), (0, 0, [(150_000, 20)])],
    [(0, -10, [(100_000, 10)]), (0, -20, [(150_000, 20)])],
    [(0, -7, [(140_000, 7)]), (0, -5, [(140_000, 5)]), (0, 0, [(140_000, 6)]), (0, 2, [(140_000, 1)])],
]
RECORDS = [
    ([(1, 7), (2, 7), (3, 8)], [(1, 7), (2, 7), (3, 8), (1, 2), (3, 4), (1, 3), (2, 4)]),
    ([(1, 7), (2, 7)], [(1, 7), (2, 7)]),
    ([(1, 9), (2, 9), (3, 9)], [(1, 2), (2, 3), (1, 3)]),
]


def street() -> Street:
    return Street.of([wish(number, each.get("buys", ()), each.get("sells", ())) for number, each in enumerate(BOOKS)])


def vectors() -> dict[str, Any]:
    of = street()
    of.begin()
    sent: list[bytes] = []

    def note(data: bytes) -> bool:
        sent.append(data)
        return False

    of.pass_on(Negotiator.propose, drop=note)
    roll, nodes = of.terms.roll, {node.seat: node for node in of.nodes}
    members = [
        {
            "secret": each.secret.hex(),
            "slot_key": slot_key(each.secret, SLOT).hex(),
            "address": node.curve.key,
            "salt": slot_salt(each.secret, SLOT).hex(),
            "index": each.member,
            "commitment": each.allowance(SLOT).member.hex(),
            "seat": node.seat,
            "orders": BOOKS[each.member],
        }
        for each, node in zip(of.wishes, of.nodes, strict=True)
    ]
    board = of.nodes[0].board
    return {
        "domain": {"name": "TransActive Settlement", "version": "1", "chainId": 31_337, "contract": "0x" + "5e" * 20},
        "domain_separator": DOMAIN.hex(),
        "slot": SLOT,
        "grid": {"floor": GRID.floor, "cap": GRID.cap, "tick": GRID.tick},
        "operator": signing.address_of(OPERATOR),
        "members": members,
        "roll": {
            "allowances": [
                {"key": each.key, "most_bought_wh": each.most_bought_wh, "most_sold_wh": each.most_sold_wh,
                 "hash": each.hash.hex()}
                for each in roll.allowances
            ],
            "hash": roll.hash.hex(),
            "signature": roll.sign(OPERATOR, DOMAIN).hex(),
        },
        "curves": [
            {"seat": seat, "top": heard.curve.top, "prices": heard.curve.prices, "energies": heard.curve.energies,
             "salt": heard.curve.salt.hex(), "contact": heard.curve.contact.hex(), "hash": heard.curve.hash.hex(),
             "bytes": heard.data.hex()}
            for seat, heard in sorted(board.curves.items())
        ],
        "quotes": [
            {"seat": seat, "hash": heard.quote.hash.hex(), "bytes": heard.data.hex()}
            for seat, heard in sorted(board.quotes.items())
        ],
        "have": of.nodes[0]._have(back=False).hex(),
        "plan": _plan(nodes[0].plan),
        "bids": [{**_bid(messages.read_bid(message.bid, of.terms)[0], of), "datagram": data.hex()}
                 for data in sent if isinstance(message := messages.read(data), SentBid)],
        "awards": [{"bid": message.bid.hex(), "energy_wh": message.energy_wh, "datagram": data.hex()}
                   for data in sent if isinstance(message := messages.read(data), SentAward)],
        "deals": sorted({deal.hash.hex() for node in of.nodes for deal in node.deals}),
        "plans": [{"keys": keys, **_plan(plan(_quoted(keys), 3, GRID))} for keys in PLANS],
        "left_out": [
            {"quarrels": said, "paired": paired, "out": sorted(left_out(said, paired))} for said, paired in RECORDS
        ],
    }  # fmt: skip


def _plan(made: Any) -> dict[str, Any]:
    pairs = [{"buyer": pair.buyer, "seller": pair.seller, "energy_wh": pair.energy_wh} for pair in made.pairs]
    return {"price": made.price, "pairs": pairs}


def _bid(bid: Any, of: Street) -> dict[str, Any]:
    seats = of.terms.roll.seats
    return {"round": bid.round, "buyer": seats[bid.buyer], "seller": seats[bid.seller], "most_wh": bid.most_wh,
            "price": bid.price, "serial": bid.serial, "hash": bid.hash.hex()}  # fmt: skip


def _quoted(keys: list[Any]) -> list[QuotedKey]:
    """Keys of a plan by seat: position, top, steps; the address of a seat is the seat and one."""
    return [QuotedKey(seat, f"0x{seat + 1:040x}", *key) for seat, key in enumerate(keys)]


def test_the_vectors_are_what_the_program_computes() -> None:
    assert json.loads(json.dumps(vectors())) == json.loads(VECTORS.read_text())


def test_the_vectors_have_deals_that_balance() -> None:
    kept = json.loads(VECTORS.read_text())
    assert len(kept["deals"]) == len([each for each in kept["awards"] if each["energy_wh"]]) > 1
    sold = sum(pair["energy_wh"] for pair in kept["plan"]["pairs"])
    assert sum(each["energy_wh"] for each in kept["awards"]) == sold > 0
    assert [case["out"] for case in kept["left_out"]] == [[7], [], []]


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n")
