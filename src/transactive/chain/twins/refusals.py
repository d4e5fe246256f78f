"""How a twin refuses: with the contract's own words."""

from __future__ import annotations

from collections.abc import Callable

from transactive.core.errors import ContractRevert


def refusals(contract: str) -> Callable[[bool, str], None]:
    """Function that raises ContractRevert "contract: reason" unless a condition holds."""

    def refuse_unless(condition: bool, reason: str) -> None:
        if not condition:
            raise ContractRevert(f"{contract}: {reason}")

    return refuse_unless
