"""What thousands of calls on one contract must have brought, so that none of them was tried in vain."""

from __future__ import annotations

import re

import pytest

from tests.fuzz.adversary.hunt import machine
from tests.fuzz.bound import locked_functions
from tests.fuzz.campaign import CALLS_PER_LIFE, LIVES
from tests.fuzz.life import Tally
from tests.fuzz.machine import new_machine
from transactive.chain.artifact import artifact, source
from transactive.chain.revert_reasons import UNKNOWN

WANTED = 20_000
"""Calls on all contracts in `make test`; `make fuzz` makes a million and more, and `docs/fuzz.md` is its report."""
LIVES_EACH = 3
EVMS = [machine(), *([pytest.param("py-evm", marks=pytest.mark.long)] if machine() != "py-evm" else [])]
"""The fastest one every day. That both do the same is a test of each day (`test_campaign.py`)."""
ROLES = {
    "currency": {"owner", "minter", "member", "candidate", "stranger"},
    "registry": {"owner", "registrar", "operator", "member", "candidate", "stranger"},
    "settlement": {"owner", "operator", "arbiter", "member", "token", "candidate", "stranger"},
    "balance_market": {"owner", "operator", "registrar", "member", "token", "candidate", "stranger"},
    "trade_board": {"owner", "operator", "registrar", "member", "token", "candidate", "stranger"},
    "carbon_credits": {"owner", "auditor", "member", "candidate", "stranger"},
    "certificates": {"owner", "operator", "gateway", "credits", "member", "candidate", "stranger"},
    "anchors": {"member"},
    "witness": {"owner", "member", "stranger"},
    "rules": {"owner", "governor", "candidate", "stranger"},
    "governor": {"owner", "registrar", "guardian", "member", "candidate", "stranger"},
    "prediction_market": {"owner", "operator", "member", "token", "candidate", "stranger"},
    "forecast_pool": {"owner", "operator", "member", "token", "candidate", "stranger"},
}
"""Who tries each function of a contract: everybody."""
FOR_CONTRACTS = {
    "settlement": {"convict", "convictNetting", "follow"},
    "governor": {"setKind", "setGuardian", "setRules"},  # which it calls itself, in `execute`
}
"""Functions that go through only when another contract calls, which lives do by way of that one, or stands behind them.

`follow` needs a registry, and has lives of its own (`tests/fuzz/lost_keys_stage.py`).
"""


def live_all(contract: str, evm: str) -> Tally:
    """The contract's share of the calls on an EVM. Raises where the twin differs."""
    tally = Tally()
    for number in range(LIVES_EACH):
        LIVES[contract](new_machine(evm), number, tally).run(CALLS_PER_LIFE)
    return tally


def check(contract: str, tally: Tally) -> None:
    """Enough calls; every function went through, and was tried by every role; most reasons met; the lock held."""
    assert tally.total >= WANTED // len(LIVES)
    writing = {
        entry["name"]
        for entry in artifact(contract).abi
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable")
    }
    writing -= FOR_CONTRACTS.get(contract, set())
    assert {function for (name, function, _, reason) in tally.calls if name == contract and not reason} == writing
    for function in writing:
        roles = {role for (name, called, role, _) in tally.calls if (name, called) == (contract, function)}
        assert roles >= ROLES[contract], (function, ROLES[contract] - roles)
    met = {reason for (_, _, _, reason) in tally.calls}
    known = set(re.findall(rf'"({contract}: [^"]+)"', source(contract)))
    assert len(met & known) >= len(known) // 2
    if locked_functions(contract) and "token" in ROLES[contract]:
        back = {reason for (_, _, role, reason) in tally.calls if "called back" in role}
        assert UNKNOWN in back, "a call back into a locked function was refused"
        assert back - {UNKNOWN}, "and others were answered"
