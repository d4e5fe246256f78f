"""Move a community without a run from contracts of an older version to today's: accounts, balances, limits go over.

Each step is put on chain at a time that is written down before, so that an interrupted upgrade finds what was done, and
sends nothing twice. Money moves with the key of whose it is, which has to sign: it leaves the old contract and enters
the new one in the same step. Who is not here keeps what it has, and every way out, in the old contract; and so do
certificates, which stay where their slots were committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from web3.contract import Contract

from transactive.chain.deployments.deployment import Deployment, deploy, describe
from transactive.chain.deployments.members import kept_registry
from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers.money import UNLIMITED
from transactive.chain.ledgers.moving import carry_zones, zones_of
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.chain.packing import decode_balances, words_for
from transactive.chain.releases import version_of
from transactive.core.community.community import Community
from transactive.core.errors import ChainError, InputError, StateError

DEPLOY = "deploy"
AT_ONCE = 32
"""Accounts whose money moves in one step."""
FAR = 2**40
"""A period in which the limit that was set last holds."""


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """A step that is sent or about to be. time [Unix s]; amounts_n: what each account moves, by index [n¤]."""

    name: str
    time: int
    amounts_n: dict[int, int]


class UpgradeProgress(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How far an upgrade has come.

    old, new: addresses of the settlements; certificates: of the new one's; moved_n: by index [n¤]; done: steps.
    """

    old: str
    new: str = ""
    certificates: str = ""
    pending: Step | None = None
    done: list[str] = []
    moved_n: dict[int, int] = {}

    def save(self, path: Path) -> None:
        """Write it down, whole or not at all. Raises StateError."""
        partial = path.with_name(f".{path.name}.part")
        try:
            partial.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
            partial.replace(path)
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}; give a folder that can be written") from error


def comes_from(file: Path, made: Deployment) -> bool:
    """Whether a deployment is what the upgrade made whose progress stands in a file: it was stopped as it ended."""
    try:
        progress = msgspec.json.decode(file.read_bytes(), type=UpgradeProgress)
    except (OSError, msgspec.MsgspecError):
        return False
    return progress.new == made.address("settlement")


@dataclass(slots=True)
class Upgrade:
    """An upgrade of one deployment.

    held: names of accounts whose keys are here; file: of its progress.
    """

    client: ChainClient
    keys: Keys
    community: Community
    known: Deployment
    held: Sequence[str]
    file: Path
    now: Callable[[], int]

    def run(self) -> tuple[Deployment, UpgradeProgress]:
        """Take all steps that are not done. Raises ChainError if a period is open; ContractRevert, StateError."""
        progress = self._progress()
        old = self.client.contract("settlement", progress.old)
        if progress.pending and self.client.block_at(progress.pending.time) is not None:
            self._note(progress, progress.pending)
        if not progress.done and progress.pending is None:
            self._check(old)
        self._step(progress, DEPLOY, {}, lambda _: self._deploy(old, progress))
        new = self.client.contract("settlement", progress.new)
        for first in range(0, len(self.known.accounts), AT_ONCE):
            part = self._amounts(old, range(first, min(first + AT_ONCE, len(self.known.accounts))))
            self._step(progress, f"money from {first}", part, lambda amounts: self._move(old, new, amounts))
        self._step(progress, "limits", self._limits(old), lambda amounts: self._limit(new, amounts))
        ledger = ChainLedger.attach(self.client, self.keys, progress.new)
        ledger.certificates_address = progress.certificates
        kept = {} if self._registry is None else {"registry": self._registry}
        return describe(self.client, ledger, self.community, kept), progress

    @property
    def _registry(self) -> str | None:
        """Address of the registry that was deployed before; it stays, with who is in it."""
        found = self.known.contracts.get("registry")
        return found.address if found else None

    @property
    def _certificates(self) -> str:
        """Address of the contract of certificates of before; empty without one."""
        found = self.known.contracts.get("certificates")
        return found.address if found else ""

    def _progress(self) -> UpgradeProgress:
        """What an interrupted upgrade left, or the beginning of one. Raises StateError for another deployment's."""
        address = self.known.address("settlement")
        if not self.file.is_file():
            return UpgradeProgress(old=address)
        try:
            found = msgspec.json.decode(self.file.read_bytes(), type=UpgradeProgress)
        except (OSError, msgspec.MsgspecError) as error:
            raise StateError(f"{self.file}: cannot be read ({error}); it is not as an upgrade left it") from None
        if found.old != address:
            raise StateError(f"{self.file}: is of the settlement {found.old}; give the deployment that it belongs to")
        return found

    def _check(self, old: Contract) -> None:
        """Refuse what cannot be moved: contracts of today, accounts of others, an open period."""
        if version_of("settlement", self.client.code(old.address)) == "":
            raise InputError("the contracts are of this version already; there is nothing to upgrade")
        for index, holder in enumerate(self._holders(old)):
            name = self.known.accounts[index]
            if name in self.held and self.keys.account(index).address != holder:
                raise InputError(f"account {name} has another key on chain than here; give the folder with its own")
        if self.client.read(old, "isPending"):
            raise ChainError("a netting waits to be paid; let the run go on to its end, and upgrade then")
        latest, settled = (int(self.client.read(old, name)) for name in ("latestPeriod", "settledPeriod"))
        if latest > settled and not self.client.read(old, "hasEnded"):
            raise ChainError(f"period {latest} is open; let the run go on to its end, and upgrade then")

    # -- steps --------------------------------------------------------------------------------------------------

    def _step(
        self,
        progress: UpgradeProgress,
        name: str,
        amounts: dict[int, int],
        queue: Callable[[dict[int, int]], None],
    ) -> None:
        """Take a step unless it is done: what it does and when is written down first."""
        if name in progress.done or not (amounts or progress.pending or name == DEPLOY):
            return
        if progress.pending is None:
            time = max(self.now(), self.client.head_timestamp + 1)
            progress.pending = Step(name, time, amounts)
            progress.save(self.file)
        step = progress.pending
        if self.client.block_at(step.time) is None:
            queue(step.amounts_n)
            progress.save(self.file)
            self.client.block(step.time)
        self._note(progress, step)

    def _note(self, progress: UpgradeProgress, step: Step) -> None:
        """Write down that a step is done."""
        progress.done.append(step.name)
        if step.name.startswith("money"):
            progress.moved_n |= step.amounts_n
        progress.pending = None
        progress.save(self.file)

    def _deploy(self, old: Contract, progress: UpgradeProgress) -> None:
        """Queue today's contracts, with the currency and the accounts of the old ones; note their addresses."""
        currency, holders = self.client.read(old, "currency"), self._holders(old)
        place = (self.client, self.keys, self.community)
        registry = kept_registry(self.client, self.community, self._registry, holders)
        direct = self._is_direct
        first = self._first_slot(old, progress.pending.time if progress.pending and direct else None)
        made = deploy(
            *place, None, direct=direct, currency=currency, holders=holders, registry=registry, first_slot=first
        )
        progress.new, progress.certificates = made.address, str(made.certificates_address)
        members = len(self.community.members)
        zones = (zones_of(addresses, members, ()) for addresses in (self._certificates, progress.certificates))
        carry_zones(self.client, self.keys, *zones)

    @property
    def _is_direct(self) -> bool:
        """Whether certificates come from signed readings at once."""
        if not self._certificates:
            return False
        return bool(self.client.read(self.client.contract("certificates", self._certificates), "isDirect"))

    def _first_slot(self, old: Contract, time: int | None) -> int:
        """Number of the first slot that the new contracts give certificates for: after what the old one has committed.

        time: of the move [Unix s], where signed readings give them: slots that are over then are issued in the old one.
        """
        if time is not None:
            return time // int(self.client.read(old, "slotSeconds"))
        latest = int(self.client.read(old, "latestPeriod"))
        return int(self.client.read(old, "lastSlot", latest)) + 1 if latest else 0

    def _holders(self, old: Contract) -> list[str]:
        """Addresses of the accounts."""
        return [str(self.client.read(old, "accountOf", index)) for index in range(len(self.known.accounts))]

    def _amounts(self, old: Contract, indices: range) -> dict[int, int]:
        """What accounts of these places can move: balances in the old contract of those whose keys are here [n¤]."""
        words = self.client.read_words(old, "balances", words_for(len(self.known.accounts)))
        balances = decode_balances(words)
        return {i: balances[i] for i in indices if balances[i] and self.known.accounts[i] in self.held}

    def _move(self, old: Contract, new: Contract, amounts: dict[int, int]) -> None:
        """Queue the way of each account's money: out of the old contract, into the new one."""
        currency, operator = (
            self.client.contract("currency", self.client.read(old, "currency")),
            self.keys.role("operator"),
        )
        for index, amount in amounts.items():
            key = self.keys.account(index)
            self.client.send(key, old, "requestWithdrawal", amount)
            self.client.send(operator, old, "release", key.address)
            self.client.send(key, old, "withdraw")
            self.client.send(key, currency, "approve", new.address, amount)
            self.client.send(key, new, "deposit", amount)

    def _limits(self, old: Contract) -> dict[int, int]:
        """Limits that accounts whose keys are here have set [n¤]."""
        held = [index for index, name in enumerate(self.known.accounts) if name in self.held]
        found = {index: int(self.client.read(old, "limitIn", index, FAR)) for index in held}
        return {index: limit - 1 for index, limit in found.items() if 0 < limit <= UNLIMITED}

    def _limit(self, new: Contract, amounts: dict[int, int]) -> None:
        """Queue the limits, which hold from the first period whose gates are all open."""
        for index, amount in amounts.items():
            self.client.send(self.keys.account(index), new, "setLimit", amount)
