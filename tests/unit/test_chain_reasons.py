"""Revert reasons, as contracts return them and as nodes report them."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from transactive.chain.revert_reasons import ERROR_STRING, reason_in, reason_of


def test_reason_in_returned_data():
    assert reason_in(ERROR_STRING + encode(["string"], ["settlement: paused"])) == "settlement: paused"
    assert reason_in(ERROR_STRING + encode(["string"], ["ä" * 50])) == "ä" * 50


@pytest.mark.parametrize("output", [b"", b"\x08\xc3", ERROR_STRING, bytes(100), bytes.fromhex("4e487b71") + bytes(32)])
def test_other_data_has_no_reason(output):
    assert reason_in(output) == ""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("execution reverted: settlement: slot committed", "settlement: slot committed"),
        ("VM Exception: reverted with reason string 'currency: cap exceeded'", "currency: cap exceeded"),
        ('{"message":"execution reverted: settlement: paused","data":"0x"}', "settlement: paused"),
        ("execution reverted", ""),
        ("insufficient funds for gas", ""),
    ],
)
def test_reason_in_a_message(message, reason):
    assert reason_of(message) == reason
