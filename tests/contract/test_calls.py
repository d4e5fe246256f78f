"""What the client writes itself for speed is what web3.py and eth-account write."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_utils.abi import get_abi_output_types
from web3 import Web3

from tests.contract.test_ledger import ACCOUNTS, START, new_ledger
from transactive.chain.artifact import CONTRACTS, artifact
from transactive.chain.nodes.calls import MOST_WORDS, CallData
from transactive.chain.nodes.nodes import Queued
from transactive.core.errors import ChainError, InputError

KEY = Account.from_key(b"\x07" * 32)
HERE = Web3.to_checksum_address("0x" + "c0" * 20)
EXAMPLES = {"address": HERE, "bytes32": b"\x01" * 32, "bool": True, "string": "Test"}
"""A value of each type that our contracts give; of numbers 1."""
OPENING = (b"\x01" * 32, (7, b"\x02" * 32, b"\x03" * 32, 2**255, 5), [b"\x04" * 32, b"\x05" * 32])


def example(output: dict[str, Any]) -> object:
    """A value of an output of an ABI; of a list as many as it has, two where it may have any number."""
    kind: str = output["type"]
    if kind.endswith("]"):
        one, _, number = kind.removesuffix("]").rpartition("[")
        return (example({**output, "type": one}),) * int(number or 2)
    return tuple(map(example, output["components"])) if kind == "tuple" else EXAMPLES.get(kind, 1)


@pytest.mark.parametrize(
    ("contract", "function", "arguments"),
    [
        ("currency", "mint", (HERE, 10**18)),
        ("currency", "setMinter", (HERE, True)),
        ("settlement", "acceptOperator", ()),
        ("settlement", "register", (HERE,)),
        ("settlement", "depositForMany", ([HERE, HERE], [1, 2**256 - 1])),
        ("settlement", "commitSlot", (7, b"\x01" * 32, b"\x02" * 32, 2**256 - 1, 0)),
        ("settlement", "propose", (3, 8, [*range(8), 2**256 - 1])),
        ("settlement", "convict", (OPENING, HERE)),
        ("settlement", "depositWithPermit", (HERE, 1, 2**256 - 1, 27, b"\x01" * 32, b"\x02" * 32)),
    ],
)
def test_call_data_are_those_of_web3(contract, function, arguments):
    web3 = Web3()
    bound = web3.eth.contract(address=HERE, abi=artifact(contract).abi)
    calls = CallData(web3)
    for _ in range(2):  # as it is learnt, and as it is remembered
        assert calls.of(bound, function, arguments) == bound.encode_abi(function, arguments)


def test_a_function_that_is_not_there_is_an_error():
    web3 = Web3()
    bound = web3.eth.contract(address=HERE, abi=artifact("currency").abi)
    with pytest.raises(KeyError):
        CallData(web3).of(bound, "mint", (HERE,))


@pytest.mark.parametrize("number", [-1, 2**256])
def test_a_number_that_no_call_holds_is_refused_in_words(number):
    web3 = Web3()
    bound = web3.eth.contract(address=HERE, abi=artifact("currency").abi)
    with pytest.raises(InputError, match="mint: a number, or a time, is below zero or too large"):
        CallData(web3).of(bound, "mint", (HERE, number))


def test_answers_are_read_as_web3_reads_them():
    """Every view without arguments, and one that gives a tuple with an address in it."""
    ledger = new_ledger()
    client, settlement = ledger._client, ledger._settlement
    functions: list[dict[str, Any]] = [e for e in artifact("settlement").abi if e["type"] == "function"]
    views = [e["name"] for e in functions if e["stateMutability"] in ("view", "pure") and not e["inputs"]]
    assert {"arbiter", "memberCount"} <= set(views)
    theirs = client._web3.eth.contract(address=settlement.address, abi=settlement.abi)
    for name in views:
        assert client.read(settlement, name) == theirs.get_function_by_name(name)().call(), name
    client.close()
    web3 = Web3()
    giving: list[tuple[str, Any]] = [(c, e) for c in CONTRACTS for e in artifact(c).abi if e.get("outputs")]
    for contract, function in giving:
        bound = web3.eth.contract(address=HERE, abi=[function])
        types = get_abi_output_types(function)
        given = [example(output) for output in function["outputs"]]
        calls, count = CallData(web3), len(function["inputs"])
        found = calls.result(bound, function["name"], count, web3.codec.encode(types, given))
        assert found == (given[0] if len(given) == 1 else given), (contract, function["name"])


def test_an_answer_that_is_no_result_is_named():
    web3 = Web3()
    bound = web3.eth.contract(address=HERE, abi=artifact("currency").abi)
    with pytest.raises(ChainError, match=r"balanceOf at 0xC0\w+ gave 0 bytes that are not its result"):
        CallData(web3).result(bound, "balanceOf", 1, b"")


@pytest.mark.parametrize("to", [None, HERE])
@pytest.mark.parametrize(("nonce", "value", "data"), [(0, 0, "0x"), (300, 10**18, "0x" + "00ff" * 40)])
def test_a_transaction_is_signed_as_eth_account_does(to, nonce, value, data):
    fields = {"chainId": 31337, "nonce": nonce, "gas": 16_000_000, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 0}
    fields |= {"value": value, "data": data} | ({"to": to} if to else {})
    raw = Queued(KEY, nonce, to, data, "test", value).sign(31337, 16_000_000, 10**10, 0)
    assert raw == bytes(KEY.sign_transaction(fields).raw_transaction)
    assert Account.recover_transaction(raw) == KEY.address


def test_many_words_are_what_the_getter_says():
    ledger = new_ledger()
    client, settlement = ledger._client, ledger._settlement
    ledger.deposit([10**12 + index for index in range(ACCOUNTS)], START)
    words = client.read_words(settlement, "balances", MOST_WORDS + 2)
    assert words == [client.read(settlement, "balances", j) for j in range(MOST_WORDS + 2)]
    assert [word > 0 for word in words[:3]] == [True, True, False]
    assert client.read_words(settlement, "balances", 0) == []
    assert ledger.balances_n() == [10**12 + index for index in range(ACCOUNTS)]
    client.close()


def test_a_word_that_cannot_be_read_is_an_error():
    ledger = new_ledger()
    with pytest.raises(ChainError):
        ledger._client.read_words(ledger._settlement, "balances", 1025)  # the contract has 1,024
    ledger._client.close()
