"""A fraud that was found, as the judge wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from web3.contract import Contract


@dataclass(frozen=True, slots=True)
class Fraud:
    """One kind of fraud: what it is, and the call of the judge that shows it.

    by: that judge, where it is another than the case's own.
    """

    what: str
    function: str
    arguments: tuple[Any, ...]
    by: Contract | None = None


def has_function(contract: Contract, function: str) -> bool:
    """Whether a contract, which may be of an earlier version, has a function."""
    return any(entry.get("name") == function for entry in contract.abi)
