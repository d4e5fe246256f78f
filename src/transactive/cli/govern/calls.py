"""What a proposal does, from words: numbers of the rules, or any call of a contract of the deployment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from transactive.core.errors import InputError

if TYPE_CHECKING:
    from transactive.chain.governance.proposals import Action, Governance

PERSONS = "elections of persons are held elsewhere, where their votes are secret; this decides on things"


def kind_of(text: str) -> int:
    """Number of a kind. Raises InputError, also for what is no matter of a public vote."""
    from transactive.chain.governance.proposals import KINDS

    if text in KINDS:
        return KINDS.index(text)
    if text in ("election", "person", "persons"):
        raise InputError(f"--kind {text}: {PERSONS}")
    raise InputError(f"--kind {text}: give {' or '.join(KINDS)}")


def call_of(governance: Governance, text: str) -> Action:
    """Action of a call, written CONTRACT FUNCTION VALUE…; values are numbers, addresses, names, 0x-hex, yes or no."""
    from transactive.chain.governance.wanted import encoded

    contract_name, function, *words = [*text.split(), "", ""][: max(len(text.split()), 2)]
    contract = governance.client.contract(contract_name, governance.known.address(contract_name))
    entries = [entry for entry in contract.abi if entry.get("name") == function and entry["type"] == "function"]
    if not entries:
        raise InputError(f"--call {text}: {contract_name} has no function {function!r}")
    kinds = [str(given["type"]) for given in entries[0].get("inputs", [])]
    if len(kinds) != len(words):
        raise InputError(f"--call {text}: {function} takes {len(kinds)} values ({', '.join(kinds) or 'none'})")
    values = [_value(governance, kind, word) for kind, word in zip(kinds, words, strict=True)]
    return encoded(contract, function, values)


def _value(governance: Governance, kind: str, text: str) -> Any:  # noqa: ANN401 - as the kind says
    """A value of a kind of the contracts. Raises InputError."""
    from eth_utils.address import to_checksum_address

    known = governance.known
    if kind == "address":
        if text in known.contracts:
            return known.address(text)
        if text in known.accounts:
            registry = governance.client.contract("registry", known.address("registry"))
            return governance.client.read(registry, "accountOf", known.index(text))
        if re.fullmatch("0x[0-9a-fA-F]{40}", text):
            return to_checksum_address(text)
    elif kind == "bool" and text in ("yes", "no"):
        return text == "yes"
    elif kind.startswith(("uint", "int")) and re.fullmatch(r"-?\d+", text):
        return int(text)
    elif kind == "bytes32" and re.fullmatch("0x[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text[2:])
    raise InputError(f"--call: {text!r} is no {kind}; give a number, an address or name, 0x-hex, yes or no")
