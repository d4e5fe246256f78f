"""What a run asks of the chain of its community, be it one settlement or one for each group and one for the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from transactive.core.community.limits import DebitLimits
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.signed_orders import SigningPlace

if TYPE_CHECKING:
    from transactive.chain.commitments import Commitment
    from transactive.chain.keys.keys import Keys
    from transactive.chain.ledgers.blocks import BlockReceipt


class LimitsReader(Protocol):
    """Reader of the limits that members set for themselves."""

    def newest(self, period: int) -> DebitLimits:
        """Limits in a period as they stand at the newest block. Raises ChainError."""


class CommunityChain(Protocol):
    """Deposits, slot commitments and nettings of one community. Accounts have their numbers in the community."""

    @property
    def keys(self) -> Keys:
        """Keys of the parties, as far as this machine has them."""

    @property
    def chain_id(self) -> int:
        """EIP-155 number of the chain."""

    @property
    def address(self) -> str:
        """Address of the settlement contract: what `attach` wants."""

    @property
    def currency_address(self) -> str:
        """Address of the token in which deposits are."""

    @property
    def judges_receipts_together(self) -> bool:
        """Whether its judge takes receipts that one signature makes for all orders of a gate."""

    @property
    def last_slot(self) -> int | None:
        """Number of the newest committed slot; None before the first."""

    @property
    def gas_slot_commits(self) -> list[int]:
        """Gas of each slot commitment."""

    @property
    def gas_nettings(self) -> list[int]:
        """Gas of each netting: proposals and payment."""

    def signing_place(self, account: int) -> SigningPlace:
        """Where an account signs its orders."""

    def limits(self, members: int) -> LimitsReader:
        """Reader of the limits that members set for themselves."""

    def queue_deposits(self, amounts_n: Sequence[int]) -> None:
        """Queue the creation and deposit of money [n¤] for each account with an amount above zero."""

    def certificates_root(self, leaves: Callable[[], SlotLeaves]) -> bytes:
        """Root to commit of a slot's leaves of carbon, zero if none is committed."""

    def commit_slot(self, leaves: SlotLeaves, certificates: bytes) -> object:
        """Queue the commitment of a slot; certificates: root of its certificates, zero without any."""

    def holds(self, leaves: SlotLeaves, certificates: bytes) -> bool:
        """Whether the slot of these leaves was committed with them, and with this root of certificates."""

    def propose(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the netting of a period: received − paid per account [n¤], sum zero."""

    def pay(self, period: int, windows: int, totals: SlotLeaves, nets_n: Sequence[int]) -> None:
        """Queue what follows once so many challenge windows of a period's netting are over, the first one counted 1.

        totals: leaves of the whole period, of its last slot. nets_n: as they were proposed.
        """

    def request_withdrawal(self, index: int, amount_n: int) -> None:
        """Queue the account's announcement that `amount_n` [n¤] shall leave."""

    def release(self, index: int) -> None:
        """Queue the operator's waiver of the notice."""

    def withdraw(self, index: int) -> None:
        """Queue the payment of a requested withdrawal to the account's wallet."""

    def block(self, timestamp: int) -> BlockReceipt:
        """Put all that is queued on chain; embedded, in a block at `timestamp` [Unix s]."""

    def at(self, timestamp: int) -> BlockReceipt | None:
        """Block of this run at `timestamp` [Unix s], or None if the chain has not come so far."""

    def is_newest(self, number: int) -> bool:
        """Whether nothing of ours was put on chain after block `number`."""

    def ends_with(self, number: int) -> bool:
        """Whether nobody put anything on chain after block `number`."""

    def balances_n(self, block: int | None = None) -> list[int]:
        """Settled balance of every account [n¤], now or at a block."""

    def commitments(self) -> list[Commitment]:
        """Commitments of all slots, oldest first; in groups those of the first one."""
