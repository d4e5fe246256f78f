"""Embedded chain: same blocks from the same input, restart, reads, errors, and SIGKILL while writing."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError

from tests.contract.world import EVERYBODY, MEMBERS, OFF, ON, OWNER
from transactive.chain.artifact import artifact
from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.embedded.replay import replay
from transactive.chain.embedded.store import ChainStore, connect
from transactive.chain.embedded.words import RpcError
from transactive.core.errors import ChainError, StateError

A, B, C = (key.address for key in MEMBERS[:3])


class Bench:
    """A chain in a file and web3.py on it; time stands still, so that blocks differ by one second."""

    def __init__(self, path: Path | str, **options) -> None:
        alloc = options.pop("alloc", dict.fromkeys(EVERYBODY, 10**24))
        self.chain = EmbeddedChain(path, alloc=alloc, clock=lambda: 0, **options)
        self.w3 = Web3(EmbeddedProvider(self.chain))
        self.nonces: dict[str, int] = {}

    def raw(self, key, to, data="0x", gas=2_000_000, **change) -> bytes:
        nonce = self.nonces.setdefault(key.address, self.w3.eth.get_transaction_count(key.address))
        fields = {"chainId": self.chain.chain_id, "nonce": nonce, "gas": gas, "maxFeePerGas": 10**10}
        fields |= {"maxPriorityFeePerGas": 0, "value": 0, "data": data} | ({"to": to} if to else {}) | change
        self.nonces[key.address] = fields["nonce"] + 1
        return bytes(key.sign_transaction(fields).raw_transaction)

    def send(self, key, to, data="0x", **options):
        sent = self.w3.eth.send_raw_transaction(self.raw(key, to, data, **options))
        return self.w3.eth.get_transaction_receipt(sent)

    def call(self, key, contract, function, *arguments, **options):
        return self.send(key, contract.address, contract.encode_abi(function, arguments), **options)

    def currency(self):
        """A currency with money for the first member."""
        made = artifact("currency")
        factory = self.w3.eth.contract(abi=made.abi, bytecode=made.bytecode)
        receipt = self.send(OWNER, None, factory.constructor("x", "x", 10**18).data_in_transaction)
        token = self.w3.eth.contract(address=receipt["contractAddress"], abi=made.abi)
        self.call(OWNER, token, "setMinter", OWNER.address, ON)
        self.call(OWNER, token, "mint", A, 10**9)
        return token

    def request(self, method, *params):
        return self.w3.provider.make_request(method, params)


@pytest.fixture
def bench():
    b = Bench(":memory:")
    yield b
    b.chain.close()


def test_deploy_call_receipt_logs(bench):
    token = bench.currency()
    receipt = bench.call(MEMBERS[0], token, "transfer", B, 7)
    assert token.functions.balanceOf(B).call() == 7
    event = token.events.Transfer().process_receipt(receipt)[0]["args"]
    assert (event["sender"], event["receiver"], event["value"]) == (A, B, 7)
    block = bench.w3.eth.get_block(receipt["blockNumber"])
    assert block["hash"] == receipt["blockHash"]
    assert block["transactions"] == [receipt["transactionHash"]]
    assert block["logsBloom"] == receipt["logsBloom"]
    assert bench.w3.eth.get_block(block["hash"]) == block
    transaction = bench.w3.eth.get_transaction(receipt["transactionHash"])
    assert (transaction["from"], transaction["to"], transaction["nonce"]) == (A, token.address, 0)
    assert bench.w3.eth.get_block("latest", full_transactions=True)["transactions"][0] == transaction
    assert bench.w3.eth.get_transaction_count(A) == 1
    assert len(bench.w3.eth.get_code(token.address)) > 1000
    assert bench.w3.eth.get_storage_at(token.address, 0) != b""
    assert bench.w3.eth.get_balance(B) == 10**24
    assert bench.w3.eth.get_block("earliest")["number"] == 0


def test_what_does_not_exist(bench):
    with pytest.raises(TransactionNotFound):
        bench.w3.eth.get_transaction_receipt("0x" + "11" * 32)
    with pytest.raises(TransactionNotFound):
        bench.w3.eth.get_transaction("0x" + "11" * 32)
    assert bench.request("eth_getBlockByNumber", "0x99", OFF)["result"] is None
    assert bench.request("eth_getBlockByHash", "0x" + "11" * 32, OFF)["result"] is None
    assert bench.request("eth_getLogs", {"blockHash": "0x" + "11" * 32})["result"] == []
    assert bench.request("eth_getBalance", A, "0x99")["error"] == {"code": -32000, "message": "header not found"}
    assert bench.request("eth_mining")["error"] == {"code": -32601, "message": "method not found: eth_mining"}


def test_old_states_stay_readable(bench):
    token = bench.currency()
    for _ in range(3):
        bench.call(MEMBERS[0], token, "transfer", B, 1)
    height = bench.w3.eth.block_number
    assert [token.functions.balanceOf(B).call(block_identifier=height - k) for k in range(4)] == [3, 2, 1, 0]


def test_log_filters(bench):
    token, other = bench.currency(), bench.currency()
    bench.call(MEMBERS[0], token, "transfer", B, 1)
    bench.call(MEMBERS[0], token, "transfer", C, 2)
    get = bench.w3.eth.get_logs
    transfers = token.events.Transfer().get_logs(from_block=0)
    assert [e["args"]["value"] for e in transfers] == [10**9, 1, 2]
    to_b = token.events.Transfer().get_logs(from_block=0, argument_filters={"receiver": B})
    assert [e["args"]["value"] for e in to_b] == [1]
    one = get({"fromBlock": 0, "address": token.address})
    both = get({"fromBlock": 0, "address": [token.address, other.address]})
    assert len(one) == 5
    assert len(both) == 8
    assert get({"fromBlock": "latest"})[0]["blockNumber"] == bench.w3.eth.block_number
    assert len(get({"blockHash": transfers[1]["blockHash"]})) == 1
    either = ["0x" + Web3.keccak(text=f"{name}(address,address,uint256)").hex() for name in ("Transfer", "Approval")]
    assert len(get({"fromBlock": 0, "topics": [either]})) == 4
    assert get({"fromBlock": 0, "topics": [None, None, None, either]}) == []


def test_reverts_and_gas_estimates(bench):
    token = bench.currency()
    transfer = token.functions.transfer(A, 1)
    with pytest.raises(ContractLogicError, match="currency: balance too low"):
        transfer.call({"from": C})
    with pytest.raises(ContractLogicError, match="currency: balance too low"):
        transfer.estimate_gas({"from": C})
    answer = bench.request("eth_call", {"from": C, "to": token.address, "data": transfer._encode_transaction_data()})
    assert answer["error"]["code"] == 3
    assert answer["error"]["message"] == "execution reverted: currency: balance too low"
    assert answer["error"]["data"].startswith("0x08c379a0")
    guess = token.functions.transfer(B, 1).estimate_gas({"from": A})
    assert bench.call(MEMBERS[0], token, "transfer", B, 1, gas=guess)["status"] == 1
    assert bench.call(MEMBERS[0], token, "transfer", C, 1, gas=guess - 1)["status"] == 0
    failed = bench.call(MEMBERS[2], token, "transfer", A, 1)
    assert failed["status"] == 0
    assert failed["logs"] == []
    assert failed["revertReason"].startswith("0x08c379a0")


def test_bad_transactions_are_refused(bench):
    send = bench.w3.eth.send_raw_transaction
    raw = bench.raw(MEMBERS[0], B)
    send(raw)
    height = bench.w3.eth.block_number
    bad = {
        "already known": raw,
        "nonce too low: next is 1": bench.raw(MEMBERS[0], C, nonce=0),
        "wrong chain id": bench.raw(MEMBERS[1], A, chainId=5),
        "intrinsic gas too low": bench.raw(MEMBERS[0], B, gas=20_999),
        "exceeds block gas limit": bench.raw(MEMBERS[0], B, gas=2**27),
    }
    for message, transaction in bad.items():
        with pytest.raises(Web3RPCError, match=message):
            send(transaction)
    for garbage in (b"\x02\xc0", b"", b"\x7f"):
        with pytest.raises(Web3RPCError, match="invalid transaction"):
            send(garbage)
    assert bench.w3.eth.block_number == height
    assert bench.w3.eth.get_block("latest")["hash"] == bench.chain.head.hash


def test_many_transactions_in_one_block(bench):
    token = bench.currency()
    data = token.encode_abi("transfer", [B, 1])
    raws = [bench.raw(MEMBERS[0], token.address, data, gas=60_000) for _ in range(50)]
    bench.chain.mine(12345, raws)
    block = bench.w3.eth.get_block("latest")
    assert block["timestamp"] == 12345
    receipts = [bench.w3.eth.get_transaction_receipt(h) for h in block["transactions"]]
    assert [r["transactionIndex"] for r in receipts] == list(range(50))
    assert sum(r["gasUsed"] for r in receipts) == block["gasUsed"] == receipts[-1]["cumulativeGasUsed"]
    assert [r["logs"][0]["logIndex"] for r in receipts] == list(range(50))
    assert token.functions.balanceOf(B).call() == 50


def test_what_does_not_fit_or_come_first_waits(bench):
    bench.chain.automine = False
    for _ in range(5):
        bench.w3.eth.send_raw_transaction(bench.raw(MEMBERS[0], B, gas=25_000_000))
    early = bench.raw(MEMBERS[1], B, nonce=1)
    bench.w3.eth.send_raw_transaction(early)
    assert bench.w3.eth.get_transaction_count(A, "pending") == 5
    assert bench.w3.eth.get_transaction(Web3.keccak(early))["blockNumber"] is None
    sizes = []
    for _ in range(2):
        bench.request("evm_mine")
        sizes.append(len(bench.w3.eth.get_block("latest")["transactions"]))
    assert sum(sizes) == 5
    assert sizes[0] > 1
    assert bench.w3.eth.get_transaction_count(B) == 0
    bench.chain.mine(None, [bench.raw(MEMBERS[1], B, nonce=0)])
    bench.chain.mine()
    assert bench.w3.eth.get_transaction_count(B) == 2


def test_timestamps_only_go_forward(bench):
    bench.request("evm_setNextBlockTimestamp", 500)
    bench.chain.mine()
    for bad in (500, 499):
        with pytest.raises(RpcError, match="not after"):
            bench.chain.mine(bad)
    bench.chain.mine()
    assert bench.chain.head.timestamp == 501  # the clock stands still: one second later


def test_the_gas_limit_never_shrinks(bench):
    for _ in range(20):
        bench.chain.mine()
    assert bench.chain.head.gas_limit == bench.chain.header(0).gas_limit == 60_000_000


def test_snapshot_and_revert(bench):
    token = bench.currency()
    height, root = bench.w3.eth.block_number, bench.chain.head.state_root
    mark = bench.request("evm_snapshot")["result"]
    lost = bench.call(MEMBERS[0], token, "transfer", B, 5)
    assert bench.request("evm_revert", mark)["result"] is True
    assert (bench.w3.eth.block_number, bench.chain.head.state_root) == (height, root)
    assert token.functions.balanceOf(B).call() == 0
    assert bench.request("eth_getTransactionReceipt", lost["transactionHash"])["result"] is None
    bench.nonces.clear()
    bench.call(MEMBERS[0], token, "transfer", B, 6)
    assert token.functions.balanceOf(B).call() == 6
    assert bench.request("evm_revert", mark)["result"] is False


def test_fees_and_names(bench):
    bench.chain.mine()
    history = bench.w3.eth.fee_history(2, "latest", [50])
    assert len(history["baseFeePerGas"]) == 3
    assert len(history["reward"]) == 2
    assert bench.w3.eth.gas_price > 0
    assert bench.w3.eth.max_priority_fee == 0
    assert (bench.w3.eth.chain_id, bench.w3.net.version) == (31337, "31337")
    assert bench.w3.eth.accounts == []
    assert bench.w3.eth.syncing is False
    assert bench.w3.client_version == "transactive-embedded/1"
    assert bench.w3.is_connected()


def test_restart_has_the_same_head_state_and_pool(tmp_path):
    b = Bench(tmp_path / "c.db")
    token = b.currency()
    b.request("evm_setAutomine", OFF)
    b.w3.eth.send_raw_transaction(b.raw(MEMBERS[0], token.address, token.encode_abi("transfer", [B, 3])))
    before = (b.chain.head.hash, b.chain.head.state_root, b.chain.head.block_number)
    b.chain.close()
    b = Bench(tmp_path / "c.db", chain_id=5, alloc={}, genesis_time=99)  # a file keeps what it was created with
    assert (b.chain.head.hash, b.chain.head.state_root, b.chain.head.block_number) == before
    assert b.chain.chain_id == 31337
    token = b.w3.eth.contract(address=token.address, abi=token.abi)
    assert token.functions.balanceOf(B).call() == 0
    b.chain.mine()  # the waiting transaction survived
    assert token.functions.balanceOf(B).call() == 3
    assert len(token.events.Transfer().get_logs(from_block=0)) == 2
    b.chain.close()


def test_two_chains_and_a_replay_agree_on_every_hash(tmp_path):
    heads = []
    for name in ("one", "two"):
        b = Bench(tmp_path / name)
        token = b.currency()
        for n in range(5):
            b.request("evm_setNextBlockTimestamp", 1000 + 900 * n)
            b.call(MEMBERS[0], token, "transfer", B, n)
        heads.append(b.chain.index.blocks())
        copy = replay(b.chain, tmp_path / f"{name} copy")
        assert copy.index.blocks() == heads[0]
        copy.close()
        b.chain.close()
    assert heads[0] == heads[1]


def test_replay_finds_a_changed_file(tmp_path):
    b = Bench(tmp_path / "c.db")
    b.send(MEMBERS[0], B, value=5)
    b.chain._sql.execute("update block set timestamp = timestamp + 1 where number = 1")
    with pytest.raises(ChainError, match="block 1 does not follow"):
        replay(b.chain, tmp_path / "copy.db")
    b.chain.close()


def test_files_that_cannot_be_used(tmp_path):
    with pytest.raises(StateError, match="folder must exist"):
        EmbeddedChain(tmp_path / "missing" / "c.db")
    (tmp_path / "text").write_text("this is no database " * 100)
    with pytest.raises(StateError, match="give another path"):
        EmbeddedChain(tmp_path / "text")
    chain = EmbeddedChain(tmp_path / "newer.db")
    chain._sql.execute("update meta set value = '2' where key = 'format'")
    chain.close()
    with pytest.raises(StateError, match="has format 2"):
        EmbeddedChain(tmp_path / "newer.db")


def test_a_second_writer_is_refused(tmp_path):
    first, second = Bench(tmp_path / "c.db"), Bench(tmp_path / "c.db")
    first.send(MEMBERS[0], B)
    with pytest.raises(StateError, match="another program"):
        second.chain.mine()
    assert second.chain.head.hash == first.chain.head.hash  # and has caught up
    for b in (first, second):
        b.chain.close()


WORKER = """
import os, random, signal, sys
from pathlib import Path
from tests.contract.test_embedded_chain import B, MEMBERS, Bench
b = Bench(Path(sys.argv[1]))
b.chain.automine = False
if sys.argv[2] == "inside":  # die at a random statement, most of them between the begin and the commit of a block
    left = random.randint(30, 600)
    def statement(text):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    b.chain._sql.set_trace_callback(statement)
print("ready", flush=True)
while True:
    for _ in range(3):
        print("sent", b.w3.eth.send_raw_transaction(b.raw(MEMBERS[0], B, gas=21000)).hex(), flush=True)
    print("block", b.chain.mine().hash.hex(), flush=True)
"""


def _reopen(path: Path) -> EmbeddedChain:
    """Chain of the file, which must be whole."""
    raw = sqlite3.connect(path)
    assert raw.execute("pragma integrity_check").fetchone() == ("ok",)
    raw.close()
    chain = EmbeddedChain(path, clock=lambda: 0)
    blocks = chain.index.blocks()
    assert [number for number, _, _ in blocks] == list(range(chain.head.block_number + 1))
    assert blocks[-1][1] == chain.head.hash
    mined = sum(len(chain.index.in_block(number)) for number, _, _ in blocks)
    assert chain.state(chain.head).get_nonce(bytes.fromhex(A[2:])) == mined
    return chain


@pytest.mark.long
def test_kills_lose_nothing_acknowledged(tmp_path):
    path, r = tmp_path / "c.db", random.Random(4)
    acknowledged: set[bytes] = set()
    blocks: set[bytes] = set()
    Bench(path).chain.close()
    root = Path(__file__).parents[2]
    for round_ in range(3):
        mode = "any" if round_ == 0 else "inside"
        command = [sys.executable, "-c", WORKER, str(path), mode]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            output = ""
            if mode == "any":  # it works on while its lines are read
                output = "".join(islice(process.stdout, r.randint(4, 40)))
                os.kill(process.pid, signal.SIGKILL)
            output += process.stdout.read()
        assert process.returncode == -signal.SIGKILL
        for line in output.splitlines(keepends=True):
            if line.endswith("\n"):
                (acknowledged if line.startswith("sent") else blocks).add(bytes.fromhex(line.split()[1]))
        chain = _reopen(path)
        known = {tx_hash for number, _, _ in chain.index.blocks() for tx_hash, _ in chain.index.in_block(number)}
        assert acknowledged <= known | {tx_hash for tx_hash, _ in chain.index.pending()}
        assert blocks <= {block_hash for _, block_hash, _ in chain.index.blocks()}
        if mode == "inside":
            copy = replay(chain, tmp_path / f"copy {round_}.db")
            assert copy.index.blocks() == chain.index.blocks()
            copy.close()
        chain.close()
    assert len(acknowledged) > 10


def test_entries_at_hand_are_those_of_the_file():
    """What lies under a hash is read once; what may be written again, or is gone, is never told from memory."""
    connection = connect(":memory:")
    kept, named = bytes(32), b"newest block"
    store = ChainStore(connection)
    store[kept], store[named] = b"node", b"1"
    store.write()
    connection.execute("update kv set v = ?", (b"2",))
    assert store[kept] == b"node"
    assert store[named] == b"2"
    del store[kept]
    store.write()
    assert kept not in store
    connection.close()
