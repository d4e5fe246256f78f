"""A hostile token: it moves money as it should, and while it does so it calls whatever it was armed with.

It is also a member: `execute` makes it call in its own name, so that it can have money and roles like anybody else.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.machine import Machine
from transactive.chain.revert_reasons import UNKNOWN, reason_in

SOURCE = """
# pragma version 0.4.3
# pragma evm-version cancun
balanceOf: public(HashMap[address, uint256])
target: address
payload: Bytes[16384]
asked: public(bool)
accepted: public(bool)
answer: public(Bytes[256])

@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount

@external
def arm(target: address, payload: Bytes[16384]):
    self.target = target
    self.payload = payload
    self.asked = False

@external
def execute(target: address, payload: Bytes[16384]):
    raw_call(target, payload)

@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    self._move(sender, to, amount)
    return True

@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True

@internal
def _move(sender: address, to: address, amount: uint256):
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount
    if self.target != empty(address):
        target: address = self.target
        self.target = empty(address)
        self.asked = True
        self.accepted, self.answer = raw_call(target, self.payload, max_outsize=256, revert_on_failure=False)
"""


class Echo:
    """The token on a machine."""

    def __init__(self, machine: Machine, maker: str) -> None:
        self.maker = maker
        code = _compiled()
        self.bound = Bound.deploy_code(machine, maker, "echo", code["bytecode"], code["abi"])
        self.person = Person("token", self.bound.address)

    def arm(self, target: str, payload: bytes) -> None:
        """Call back so with the next payment."""
        self.bound.do(self.maker, "arm", target, payload)

    def disarm(self) -> None:
        """Keep still with the next payment."""
        self.arm(NOBODY, b"")

    def execute(self, target: str, payload: bytes) -> None:
        """Call in the token's name. Raises ContractRevert."""
        self.bound.do(self.maker, "execute", target, payload)

    def answer(self) -> str | None:
        """Reason with which the call back was refused, None if it went through, "not asked" if no payment came."""
        if not self.bound.read("asked"):
            return "not asked"
        if self.bound.read("accepted"):
            return None
        return reason_in(self.bound.read("answer")) or UNKNOWN


@cache
def _compiled() -> dict[str, Any]:
    import vyper

    made: dict[str, Any] = vyper.compile_code(SOURCE, output_formats=["abi", "bytecode"])
    return made
