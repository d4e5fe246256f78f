"""What was deployed for a community, and where: the address book that commands and runs take.

The file holds nothing secret, but it names the members in the order of their accounts: keep it where the community's
file is kept, not on a public page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from eth_utils.crypto import keccak

from transactive.chain.artifact import artifact
from transactive.chain.deployments.members import GroupRegistries, enrol, furthest_gate
from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers.deploying import deploy_settlement
from transactive.chain.ledgers.groups.deploying import deploy_groups
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.ledgers.judges import DealRules
from transactive.chain.ledgers.notice import NOBODY
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.named_judges import named_judges
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import version_of
from transactive.core.accounts import NAMED
from transactive.core.community.community import Community
from transactive.core.community.validation import explained
from transactive.core.errors import ChainError, InputError, StateError

NAMED_BY = {
    "currency": "currency",
    "disputes": "disputes",
    "certificateDisputes": "certificate_disputes",
    "registry": "registry",
}
"""Contract that a view of the settlement or of its judge names."""
FILE = "deployment.json"
"""Name in a state folder."""
OTHERS = "all others"
"""Account of a group's link in the group: those of other groups, and the named accounts."""


class Deployed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One contract: its address, and the keccak-256 of its code with immutables, 0x-hex."""

    address: str
    code_keccak: str


class GroupDeployed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Contracts of a group. members: how many it has; groups follow each other in the order of the accounts."""

    members: int
    contracts: dict[str, Deployed]


class Deployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Contracts of a community. block: number of the block that holds the last of them; accounts: names by index.

    groups: of a community that one settlement has no room for; `contracts` are then those of the whole.
    """

    community: str
    currency: str
    chain_id: int
    block: int
    accounts: tuple[str, ...]
    contracts: dict[str, Deployed]
    groups: tuple[GroupDeployed, ...] = ()

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all. Raises StateError."""
        partial = path.with_name(f".{path.name}.part")
        try:
            partial.touch(mode=0o600)
            partial.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
            partial.replace(path)
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}; give a file in a folder that can be written") from error

    def address(self, contract: str) -> str:
        """Address of a contract by name. Raises InputError if it is not in the file."""
        if contract not in self.contracts:
            raise InputError(f"the deployment has no {contract}; it has {', '.join(self.contracts)}")
        return self.contracts[contract].address

    def index(self, account: str) -> int:
        """Index of an account by name. Raises InputError naming those that there are."""
        if account not in self.accounts:
            raise InputError(f"account {account!r} is not in the deployment; it has {', '.join(self.accounts)}")
        return self.accounts.index(account)

    @property
    def parts(self) -> tuple[Deployment, ...]:
        """A deployment for each settlement, groups first: its contracts, and its accounts by place."""
        if not self.groups:
            return (self,)
        found, first = [], 0
        for group in self.groups:
            last, contracts = first + group.members, self.contracts | group.contracts
            accounts = (*self.accounts[first:last], OTHERS)
            found.append(msgspec.structs.replace(self, accounts=accounts, contracts=contracts, groups=()))
            first = last
        links = (f"group {number}" for number in range(1, len(self.groups) + 1))
        return (*found, msgspec.structs.replace(self, accounts=(*self.accounts[first:], *links), groups=()))

    def part(self, account: str) -> Deployment:
        """The part that has an account. Raises InputError naming those that there are."""
        place = self.index(account)
        for part, group in zip(self.parts, self.groups, strict=False):
            if place < group.members:
                return part
            place -= group.members
        return self.parts[-1]

    def part_of(self, account: str | None, group: int | None) -> Deployment:
        """The part of a group, counted from 1, or the one that has an account; without both, that of the whole.

        Raises InputError for a group or an account that there is not.
        """
        if group is None:
            return self.parts[-1] if account is None else self.part(account)
        if not 1 <= group <= len(self.groups):
            raise InputError(f"--group {group}: the deployment has {len(self.groups)} groups; they count from 1")
        return self.parts[group - 1]

    @property
    def everything(self) -> dict[str, Deployed]:
        """All contracts by name, those of groups with the number of theirs."""
        numbered = (
            (f"{name} of group {number}", deployed)
            for number, group in enumerate(self.groups, 1)
            for name, deployed in group.contracts.items()
            if deployed.address not in {one.address for one in self.contracts.values()}
        )
        return self.contracts | dict(numbered)

    def check(self, client: ChainClient) -> None:
        """Raise ChainError unless the client is on this deployment's chain."""
        if client.chain_id != self.chain_id:
            raise ChainError(
                f"the node is on chain {client.chain_id}, the deployment on {self.chain_id}; give the node or the file"
                " that belongs to the other"
            )


def load(path: Path) -> Deployment:
    """Read a file that `save` wrote. Raises InputError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Deployment)
    except OSError as error:
        raise InputError(f"deployment {path}: cannot be read ({error.strerror}); `chain deploy` writes one") from None
    except msgspec.DecodeError as error:
        raise InputError(
            f"deployment {path}: {explained(str(error), Deployment)}; it is not as `chain deploy` writes it"
        ) from None


def deploy(
    client: ChainClient,
    keys: Keys,
    community: Community,
    timestamp: int | None,
    *,
    direct: bool = False,
    currency: str | None = None,
    holders: Sequence[str] | None = None,
    registry: str = NOBODY,
    enrols: bool = False,
    first_slot: int = 0,
) -> ChainLedger | GroupedLedger:
    """Deploy and set up the contracts of a community, in the step at `timestamp` [Unix s]; None only queues it all.

    direct: certificates come from signed readings at once, not from the roots of slots. currency: address of one that
    there is already; without it a new one is made. holders: addresses of the accounts, where not all keys are here.
    registry: address of one that has these accounts; enrols: whether a new one is made, for each group too; without any
    a lost key is lost money. first_slot: number of the first slot that it gives certificates for; those of before are
    in another deployment. A community that one settlement has no room for gets one for each group and one for the
    whole. Raises InputError for what groups cannot have.
    """
    rules: dict[str, Any] = {
        "slot_seconds": community.clock.length,
        "slots_per_period": community.clock.slots_per_period,
        "window": community.chain.challenge_window_minutes * 60,
        "currency_name": f"{community.name} {community.currency}"[:32],
        "currency_symbol": community.currency,
        "lead": furthest_gate(community),
        "currency_address": currency,
    }
    if not community.groups:
        registry = enrol(client, keys, community, holders) if enrols else registry
        return deploy_settlement(
            client, keys, accounts=community.chart.on_chain, timestamp=timestamp, beneficiary=community.chart.community,
            direct=direct, holders=holders, registry_address=registry, first_slot=first_slot,
            deals=DealRules.of(community), **rules,
        )  # fmt: skip
    if holders or registry != NOBODY:
        raise InputError(
            f"{len(community.members)} members settle in {len(community.groups)} groups, which have no migration; leave"
            " it out"
        )
    registries = GroupRegistries(client, keys, community) if enrols else None
    return deploy_groups(
        client, keys, members=len(community.members), most=len(max(community.groups, key=len)), timestamp=timestamp,
        registries=registries, direct=direct, first_slot=first_slot, **rules,
    )  # fmt: skip


def attach(client: ChainClient, keys: Keys, community: Community, address: str) -> ChainLedger | GroupedLedger:
    """The ledger of a community on contracts that are there, as an earlier run left it. Raises ChainError."""
    if community.groups:
        return GroupedLedger.attach(client, keys, address, len(community.members))
    return ChainLedger.attach(client, keys, address)


def describe(
    client: ChainClient,
    ledger: ChainLedger | GroupedLedger,
    community: Community,
    more: Mapping[str, str] | None = None,
) -> Deployment:
    """Address book of a ledger that was just deployed: its contracts, those they name, and `more` by name."""
    groups: list[GroupDeployed] = []
    if isinstance(ledger, GroupedLedger):
        for group in ledger.groups:
            own = _contracts(client, group.ledger) | {"group_link": str(group.link.address)}
            groups.append(GroupDeployed(members=len(group.members), contracts=_deployed(client, own)))
        of_all = _contracts(client, ledger.whole)
    else:
        of_all = _contracts(client, ledger)
    return Deployment(
        community=community.name,
        currency=community.currency,
        chain_id=client.chain_id,
        block=client.height,
        accounts=(*community.ids, *NAMED),
        contracts=_deployed(client, of_all | dict(more or {})),
        groups=tuple(groups),
    )


def _contracts(client: ChainClient, ledger: ChainLedger) -> dict[str, str]:
    """Addresses of a settlement and of the contracts that it and its judge name."""
    addresses = {"settlement": ledger.address}
    for name in ("settlement", "disputes"):
        contract = client.contract(name, addresses[name])
        for function in sorted({str(entry.get("name")) for entry in artifact(name).abi} & set(NAMED_BY)):
            found = str(client.read(contract, function))
            if found != NOBODY:
                addresses[NAMED_BY[function]] = found
    addresses |= named_judges(client, client.contract("disputes", addresses["disputes"]))
    if ledger.certificates_address:
        addresses["certificates"] = ledger.certificates_address
    return addresses


def _deployed(client: ChainClient, addresses: Mapping[str, str]) -> dict[str, Deployed]:
    """Contracts by name, with the hash of the code that is there."""
    return {
        name: Deployed(address=address, code_keccak=code_keccak(client.code(address)))
        for name, address in addresses.items()
    }


def code_keccak(code: bytes) -> str:
    """Keccak-256 of code, 0x-hex."""
    return "0x" + keccak(code).hex()


def is_todays(name: str, code: bytes) -> bool:
    """Whether deployed code is that of this version."""
    return version_of(name, code) == ""


def is_ours(name: str, code: bytes) -> bool:
    """Whether deployed code is that of this program, or of a released version before it."""
    return version_of(name, code) is not None
