"""What an ERC-6909 contract of ours must do, in plain Python. Holders are accounts, that is any text."""

from __future__ import annotations

from collections import defaultdict

from transactive.chain.twins.refusals import refusals

UNLIMITED = 2**256 - 1

refuse_unless = refusals("multitoken")


class MultitokenTwin:
    """Balances and allowances by token; `own` are the addresses that can hold nothing."""

    def __init__(self, own: tuple[str, ...] = ()) -> None:
        self.own = own
        self.balances: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.allowances: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self.operators: set[tuple[str, str]] = set()

    def transfer(self, caller: str, receiver: str, token: int, amount: int) -> None:
        """Send tokens of the caller."""
        self._move(caller, receiver, token, amount)

    def transfer_from(self, caller: str, sender: str, receiver: str, token: int, amount: int) -> None:
        """Send tokens of `sender` as its operator or within the allowance."""
        allowed = self.allowances[sender, caller, token]
        limited = caller != sender and (sender, caller) not in self.operators and allowed != UNLIMITED
        refuse_unless(not limited or allowed >= amount, "allowance too low")
        self._move(sender, receiver, token, amount)
        if limited:
            self.allowances[sender, caller, token] = allowed - amount

    def approve(self, caller: str, spender: str, token: int, amount: int) -> None:
        """Let `spender` take tokens of the caller."""
        self.allowances[caller, spender, token] = amount

    def set_operator(self, caller: str, spender: str, *, approved: bool) -> None:
        """Let `spender` move all tokens of the caller, or stop that."""
        (self.operators.add if approved else self.operators.discard)((caller, spender))

    def check_receiver(self, receiver: str) -> None:
        """Refuse who can hold nothing."""
        refuse_unless(receiver not in self.own, "bad receiver")

    def check_balance(self, holder: str, token: int, amount: int) -> None:
        """Refuse more than there is."""
        refuse_unless(self.balances[holder, token] >= amount, "balance too low")

    def mint(self, receiver: str, token: int, amount: int) -> None:
        """Make new tokens."""
        self.check_receiver(receiver)
        self.balances[receiver, token] += amount

    def burn(self, holder: str, token: int, amount: int) -> None:
        """Use tokens up."""
        self.check_balance(holder, token, amount)
        self.balances[holder, token] -= amount

    def _move(self, sender: str, receiver: str, token: int, amount: int) -> None:
        """Move tokens."""
        self.check_receiver(receiver)
        self.burn(sender, token, amount)
        self.balances[receiver, token] += amount
