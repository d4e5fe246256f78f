"""Calls that leave nothing behind: `eth_call`, gas estimates, and the reason of a revert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth.abc import BlockHeaderAPI, ComputationAPI, VirtualMachineAPI
from eth.exceptions import VMError
from eth.vm.spoof import SpoofTransaction
from eth_utils.exceptions import ValidationError

from transactive.chain.embedded.words import REFUSED, REVERTED, RpcError, data, to_bytes, to_int
from transactive.chain.revert_reasons import reason_in

GAS_LIMIT = 60_000_000
CALL_GAS = 30_000_000


def execute(vm: VirtualMachineAPI, call: dict[str, Any], gas: int | None = None) -> tuple[ComputationAPI, int]:
    """Run a call on a VM; also the gas that a transaction would use. Raises RpcError if it could not start."""
    limit = gas or min(to_int(call.get("gas", CALL_GAS)), GAS_LIMIT)
    sender = to_bytes(call.get("from", bytes(20)))
    unsigned = vm.get_transaction_builder().create_unsigned_transaction(
        nonce=vm.state.get_nonce(sender),
        gas_price=0,
        gas=limit,
        to=to_bytes(call.get("to") or b""),
        value=to_int(call.get("value", 0)),
        data=to_bytes(call.get("data", call.get("input", b""))),
    )
    transaction = SpoofTransaction(unsigned, from_=sender)
    try:
        computation = vm.state.costless_execute_transaction(transaction)
    except ValidationError as error:
        raise RpcError(REFUSED, str(error)) from error
    return computation, vm.finalize_gas_used(transaction, computation)


def free_of_charge(header: BlockHeaderAPI) -> BlockHeaderAPI:
    """Header under which a call needs no ether."""
    return header.copy(base_fee_per_gas=0)


def raise_on_error(computation: ComputationAPI) -> None:
    """Raise RpcError with the revert reason if the call failed."""
    if not computation.is_error:
        return
    output = computation.output
    detail = reason_in(output) or ("" if output else str(computation.error))
    raise RpcError(REVERTED, f"execution reverted: {detail}" if detail else "execution reverted", data(output))


def estimate(fresh_vm: Callable[[], VirtualMachineAPI], call: dict[str, Any]) -> int:
    """Smallest gas limit with which the call succeeds; `fresh_vm` makes a VM for each try.

    Raises RpcError with the revert reason if it never does.
    """
    computation, used = execute(fresh_vm(), call, GAS_LIMIT)
    raise_on_error(computation)
    low, high, guess = used - 1, GAS_LIMIT, used
    while low + 1 < high:
        low, high = (low, guess) if _works(fresh_vm(), call, guess) else (guess, high)
        # what was used usually nearly suffices: step up from there before halving the rest
        guess = min((low + high) // 2, low + max(low // 32, 1)) if high == GAS_LIMIT else (low + high) // 2
    return high


def _works(vm: VirtualMachineAPI, call: dict[str, Any], gas: int) -> bool:
    """Whether the call succeeds with so much gas."""
    try:
        return not execute(vm, call, gas)[0].is_error
    except (RpcError, VMError):
        return False
