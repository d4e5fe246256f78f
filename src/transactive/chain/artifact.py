"""Compiled contracts, read from the package; no compiler is needed to use them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

CONTRACTS = (
    "currency",
    "settlement",
    "disputes",
    "certificates",
    "certificate_disputes",
    "demands",
    "judges",
    "deals",
    "group_link",
    "group_disputes",
    "registry",
    "balance_market",
    "trade_board",
    "carbon_credits",
    "rules",
    "governor",
    "anchors",
    "witness",
    "prediction_market",
    "forecast_pool",
)
MODULES = (
    "bundles", "commitments", "corrections", "leaves", "lmsr", "metered", "multitoken", "readings", "signed", "tokens",
    "totals",
)  # fmt: skip
"""Vyper modules that several contracts share; their code is compiled into each."""


PROVED = {"settlement": ("heads",)}
"""Variables by contract that another chain reads by proofs of storage, and so has to know the places of."""


class Artifact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One compiled contract.

    bytecode: init code, runtime: deployed code without immutables, both as 0x-hex. source_sha256: of the Vyper file.
    storage: storage slots of the variables in `PROVED`; a value of a mapping lies at keccak-256(slot | key).
    """

    name: str
    compiler: str
    evm_version: str
    source_sha256: str
    bytecode: str
    runtime: str
    abi: list[dict[str, Any]]
    storage: dict[str, int] = {}

    @property
    def runtime_bytes(self) -> int:
        """Size of the runtime code [bytes]; a chain accepts at most 24,576."""
        return len(self.runtime) // 2 - 1


def source(name: str) -> str:
    """Vyper source of a contract, or of a module as "modules/NAME"."""
    return (files("transactive.chain") / "contracts" / f"{name}.vy").read_text(encoding="utf-8")


@cache
def artifact(name: str) -> Artifact:
    """Compiled contract by name. Raises FileNotFoundError for an unknown one."""
    return msgspec.json.decode((files("transactive.chain") / "artifacts" / f"{name}.json").read_bytes(), type=Artifact)
