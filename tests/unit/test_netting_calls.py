"""Calls of a netting: all parts at first, what is missing later, and all of them again after an interruption."""

from __future__ import annotations

from typing import Any

import pytest

from transactive.chain.ledgers.netting import NettingCalls
from transactive.chain.packing import PART_WORDS, encode_nets, parts_for
from transactive.core.errors import ChainError

ACCOUNTS = 4 * PART_WORDS + 5
"""Two parts: 256 words and two more."""
NETS = [1, -1] * (ACCOUNTS // 2) + [0]


class FakeContract:
    """Names of functions, as an ABI has them."""

    abi = ({"name": "propose"}, {"name": "parts"})


class FakeClient:
    """Answers what it is told to and keeps what is sent."""

    def __init__(
        self, parts: tuple[int, int, int, int], *, proposed: int = 0, is_interrupted: bool = False, settled: int = 6
    ) -> None:
        self.answers = {"parts": parts, "proposal": (proposed, 0), "settledPeriod": settled, "memberCount": ACCOUNTS}
        self.is_interrupted = is_interrupted
        self.sent: list[tuple[Any, ...]] = []

    def read(self, _contract: object, function: str) -> Any:
        return self.answers[function]

    def send(self, _sender: object, _contract: object, function: str, *arguments: Any) -> None:
        self.sent.append((function, *arguments))


def calls_of(client: FakeClient) -> NettingCalls:
    untyped: Any = client, FakeContract(), None
    return NettingCalls(*untyped)


@pytest.mark.parametrize(
    ("parts", "interrupted", "firsts"),
    [
        ((0, 0, 0, 0), False, [0, 256]),
        ((7, 258, 256, 0), False, [256]),  # the first one is there
        ((7, 258, 256, 0), True, [0, 256]),  # what was signed before is sent again as it was
        ((6, 258, 258, 0), False, [0, 256]),  # another period's
        ((7, 258, 258, 0), False, [0, 256]),  # a whole one: the contract says why not
    ],
)
def test_parts_of_a_proposal_that_are_there_are_left_out(parts, interrupted, firsts):
    client = FakeClient(parts, is_interrupted=interrupted)
    calls_of(client).propose(7, NETS)
    words = encode_nets(NETS)
    assert client.sent == [("propose", 7, first, words[first : first + PART_WORDS]) for first in firsts]


@pytest.mark.parametrize(("applied", "interrupted", "calls"), [(0, False, 2), (256, False, 1), (256, True, 2)])
def test_parts_that_were_applied_are_left_out(applied, interrupted, calls):
    client = FakeClient((7, 258, 258, applied), proposed=7, is_interrupted=interrupted)
    calls_of(client).finalise(7)
    assert client.sent == [("finalise", PART_WORDS)] * calls


def test_nothing_proposed_is_nothing_to_pay():
    with pytest.raises(ChainError, match="no netting of period 7 is proposed"):
        calls_of(FakeClient((7, 258, 256, 0))).finalise(7)


@pytest.mark.parametrize(("interrupted", "calls"), [(False, 0), (True, 2)])
def test_what_is_paid_is_sent_again_only_by_an_interrupted_step(interrupted, calls):
    client = FakeClient((0, 0, 0, 0), is_interrupted=interrupted, settled=7)
    calls_of(client).finalise(7)
    assert client.sent == [("finalise", PART_WORDS)] * calls


def test_how_many_parts_there_are():
    assert [parts_for(accounts) for accounts in (1, 4, 1_024, 1_025, 4_095)] == [1, 1, 1, 2, 4]
