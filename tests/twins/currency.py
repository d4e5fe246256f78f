"""What the currency contract must do, in plain Python. Accounts are any text, money is n¤."""

from __future__ import annotations

from collections import defaultdict

from transactive.chain.twins.refusals import refusals
from transactive.chain.twins.registry import NOBODY

UNLIMITED = 2**256 - 1

refuse_unless = refusals("currency")


class CurrencyTwin:
    """The currency at `address` with its owner; times (`now`) in Unix seconds."""

    def __init__(self, *, address: str, owner: str, cap: int) -> None:
        self.address, self.owner, self.cap = address, owner, cap
        self.pending_owner = NOBODY
        self.minters: set[str] = set()
        self.supply = 0
        self.balances: defaultdict[str, int] = defaultdict(int)
        self.allowances: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.nonces: defaultdict[str, int] = defaultdict(int)

    def transfer(self, caller: str, to: str, amount: int) -> None:
        """Send money."""
        refuse_unless(to not in (NOBODY, self.address), "bad receiver")
        refuse_unless(self.balances[caller] >= amount, "balance too low")
        self.balances[caller] -= amount
        self.balances[to] += amount

    def transfer_from(self, caller: str, sender: str, to: str, amount: int) -> None:
        """Send money of somebody else within the allowance."""
        allowed = self.allowances[sender, caller]
        refuse_unless(allowed >= amount, "allowance too low")
        self.transfer(sender, to, amount)
        if allowed != UNLIMITED:
            self.allowances[sender, caller] = allowed - amount

    def approve(self, caller: str, spender: str, amount: int) -> None:
        """Set an allowance."""
        self.allowances[caller, spender] = amount

    def permit(self, signer: str, owner: str, spender: str, amount: int, deadline: int, now: int) -> None:
        """Set an allowance by signature; `signer` is whose signature stands under exactly these terms."""
        refuse_unless(now <= deadline, "permit expired")
        refuse_unless(signer == owner, "bad signature")
        self.nonces[owner] += 1
        self.allowances[owner, spender] = amount

    def mint(self, caller: str, to: str, amount: int) -> None:
        """Create money."""
        refuse_unless(caller in self.minters, "not a minter")
        refuse_unless(to not in (NOBODY, self.address), "bad receiver")
        refuse_unless(amount <= self.cap - self.supply, "cap exceeded")
        self.supply += amount
        self.balances[to] += amount

    def burn(self, caller: str, amount: int) -> None:
        """Destroy money of the caller."""
        refuse_unless(self.balances[caller] >= amount, "balance too low")
        self.supply -= amount
        self.balances[caller] -= amount

    def set_minter(self, caller: str, minter: str, *, allowed: bool) -> None:
        """Give or take the minter role."""
        self._only_owner(caller)
        (self.minters.add if allowed else self.minters.discard)(minter)

    def offer_ownership(self, caller: str, candidate: str) -> None:
        """First step of an owner change."""
        self._only_owner(caller)
        self.pending_owner = candidate

    def accept_ownership(self, caller: str) -> None:
        """Second step."""
        refuse_unless(caller == self.pending_owner, "not the candidate")
        self.owner, self.pending_owner = caller, NOBODY

    def _only_owner(self, caller: str) -> None:
        refuse_unless(caller == self.owner, "not the owner")
