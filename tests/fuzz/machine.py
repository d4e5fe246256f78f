"""An EVM without a chain around it: calls change its state at once, at whatever time they are given.

No blocks, signatures, nonces or gas price, so that a call costs milliseconds on py-evm, the EVM of the embedded chain,
and microseconds on revm, a second implementation in Rust that `make fuzz` installs where there is a wheel for it.
"""

from __future__ import annotations

from typing import Any, Protocol

import rlp
from eth_utils.crypto import keccak

from transactive.chain.embedded.chain import CHAIN_ID
from transactive.chain.revert_reasons import UNKNOWN, reason_in
from transactive.core.errors import ContractRevert

GAS = 30_000_000


class Machine(Protocol):
    """What the lives need. Accounts are lower-case 0x text; `at` is the time of the next call [Unix s]."""

    name: str
    at: int

    def deploy(self, sender: str, code: bytes) -> str:
        """Address of a new contract. Raises ContractRevert with the constructor's reason."""

    def call(self, sender: str, to: str, data: bytes, value: int = 0) -> bytes:
        """What a call returns; nothing of it stays if it raises ContractRevert."""

    def mark(self) -> Any:
        """The state as it is now, for `back`."""

    def back(self, mark: Any) -> None:
        """Forget all that has changed since a mark."""

    def coin(self, account: str) -> int:
        """Wei of an account."""

    def give(self, account: str, wei: int) -> None:
        """Set the wei of an account."""


def new_machine(name: str) -> Machine:
    """Machine by name: py-evm or revm."""
    return PyEvm() if name == "py-evm" else Revm()


def refused(output: bytes) -> ContractRevert:
    """Error of a call that returned this."""
    return ContractRevert(reason_in(output) or UNKNOWN)


def raw(account: str) -> bytes:
    """Twenty bytes of an address."""
    return bytes.fromhex(account[2:])


class PyEvm:
    """The state of py-evm, in memory."""

    name = "py-evm"

    def __init__(self) -> None:
        from eth.chains.base import MiningChain
        from eth.consensus import NoProofConsensus
        from eth.db.atomic import AtomicDB
        from eth.vm.forks.prague import PragueVM

        vm = PragueVM.configure(consensus_class=NoProofConsensus)
        kind = MiningChain.configure(__name__="Bare", vm_configuration=((0, vm),), chain_id=CHAIN_ID)
        zeros = {"difficulty": 0, "gas_limit": GAS, "timestamp": 1, "coinbase": bytes(20), "extra_data": b""}
        self._state: Any = kind.from_genesis(AtomicDB(), zeros, {}).get_vm().state

    @property
    def at(self) -> int:
        return int(self._state.timestamp)

    @at.setter
    def at(self, when: int) -> None:
        self._state.execution_context._timestamp = when  # a state is made for one block; here time goes on inside

    def deploy(self, sender: str, code: bytes) -> str:
        nonce = self._state.get_nonce(raw(sender))
        self._state.increment_nonce(raw(sender))
        address = keccak(rlp.encode([raw(sender), nonce]))[12:]
        self._run(sender, b"", b"", 0, code, address)
        return "0x" + address.hex()

    def call(self, sender: str, to: str, data: bytes, value: int = 0) -> bytes:
        return self._run(sender, raw(to), data, value, self._state.get_code(raw(to)), None)

    def _run(self, sender: str, to: bytes, data: bytes, value: int, code: bytes, address: bytes | None) -> bytes:
        from eth.vm.message import Message

        state = self._state
        message = Message(GAS, to, raw(sender), value, data, code, create_address=address)
        context = state.transaction_context_class(gas_price=0, origin=raw(sender))
        kind = state.computation_class
        done = (kind.apply_create_message if address else kind.apply_message)(state, message, context)
        state.clear_transient_storage()
        if done.is_error:
            raise refused(done.output)
        return bytes(done.output)

    def mark(self) -> Any:
        return self._state.snapshot()

    def back(self, mark: Any) -> None:
        self._state.revert(mark)

    def coin(self, account: str) -> int:
        return int(self._state.get_balance(raw(account)))

    def give(self, account: str, wei: int) -> None:
        self._state.set_balance(raw(account), wei)


class Revm:
    """The state of revm, in memory."""

    name = "revm"

    def __init__(self) -> None:
        from pyrevm import EVM, BlockEnv, CfgEnv, Env

        self._block: Any = BlockEnv
        self._evm: Any = EVM(env=Env(cfg=CfgEnv(chain_id=CHAIN_ID)), spec_id="PRAGUE")
        self.at = 1

    @property
    def at(self) -> int:
        return self._at

    @at.setter
    def at(self, when: int) -> None:
        self._at = when
        self._evm.set_block_env(self._block(timestamp=when, gas_limit=GAS))

    def deploy(self, sender: str, code: bytes) -> str:
        try:
            return str(self._evm.deploy(sender, code)).lower()
        except RuntimeError as error:
            raise self._refused(error) from error

    def call(self, sender: str, to: str, data: bytes, value: int = 0) -> bytes:
        try:
            return bytes(self._evm.message_call(sender, to, data, value or None))
        except RuntimeError as error:
            raise self._refused(error) from error

    def _refused(self, error: RuntimeError) -> ContractRevert:
        """The error's text ends with the output: "output: 0x… }"."""
        text = str(error)
        if "output: 0x" not in text:
            return ContractRevert(UNKNOWN)
        return refused(bytes.fromhex(text.rpartition("output: 0x")[2].rstrip(" }")))

    def mark(self) -> Any:
        return self._evm.snapshot()

    def back(self, mark: Any) -> None:
        self._evm.revert(mark)

    def coin(self, account: str) -> int:
        return int(self._evm.get_balance(account))

    def give(self, account: str, wei: int) -> None:
        self._evm.set_balance(account, wei)
