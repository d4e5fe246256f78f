"""What was deployed for a community, and where: the address book that commands and runs take.

The file holds nothing secret, but it names the members in the order of their accounts: keep it where the community's
file is kept, not on a public page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from eth_utils.crypto import keccak

from transactive.chain.artifact import artifact
from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers.notice import NOBODY
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import version_of
from transactive.core.accounts import NAMED
from transactive.core.community.community import Community
from transactive.core.community.validation import explained
from transactive.core.errors import ChainError, InputError, StateError
from transactive.core.proofs.leaves import MOST_ACCOUNTS

NAMED_BY = {
    "currency": "currency",
    "disputes": "disputes",
    "certificateDisputes": "certificate_disputes",
    "demands": "demands",
}
"""Contract that a view of the settlement or of its judge names."""
FILE = "deployment.json"
"""Name in a state folder."""


class Deployed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One contract: its address, and the keccak-256 of its code with immutables, 0x-hex."""

    address: str
    code_keccak: str


class Deployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Contracts of a community. block: number of the block that holds the last of them; accounts: names by index."""

    community: str
    currency: str
    chain_id: int
    block: int
    accounts: tuple[str, ...]
    contracts: dict[str, Deployed]

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
) -> ChainLedger:
    """Deploy and set up the contracts of a community, in the step at `timestamp` [Unix s]; None only queues it all.

    direct: certificates come from signed readings at once, not from the roots of slots. currency: address of one that
    there is already; without it a new one is made. holders: addresses of the accounts, where not all keys are here.
    registry: address of the one that has these accounts, from `enrol`; without it a lost key is lost money. Raises
    InputError for a community that one settlement has no room for.
    """
    if community.chart.on_chain > MOST_ACCOUNTS:
        raise InputError(
            f"{len(community.members)} members and {len(NAMED)} named accounts: a settlement has room for"
            f" {MOST_ACCOUNTS} accounts, and a run has one; divide the community, or settle it in groups from Python"
            " (GroupedLedger)"
        )
    return ChainLedger.deploy(
        client,
        keys,
        accounts=community.chart.on_chain,
        slot_seconds=community.clock.length,
        slots_per_period=community.clock.slots_per_period,
        window=community.chain.challenge_window_minutes * 60,
        timestamp=timestamp,
        currency_name=f"{community.name} {community.currency}"[:32],
        currency_symbol=community.currency,
        lead=furthest_gate(community),
        beneficiary=community.chart.community,
        direct=direct,
        currency_address=currency,
        holders=holders,
        registry_address=registry,
    )


def furthest_gate(community: Community) -> int:
    """Most slots between a session's gate and the delivery of a slot that it trades."""
    ahead = community.market.day_ahead_lead
    return (
        community.clock.lead if ahead is None else max(community.clock.lead, ahead + community.clock.slots_per_period)
    )


def describe(
    client: ChainClient, ledger: ChainLedger, community: Community, more: Mapping[str, str] | None = None
) -> Deployment:
    """Address book of a ledger that was just deployed: its contracts, those they name, and `more` by name."""
    addresses = {"settlement": ledger.address}
    for name in ("settlement", "disputes"):
        contract = client.contract(name, addresses[name])
        for function in sorted({str(entry.get("name")) for entry in artifact(name).abi} & set(NAMED_BY)):
            addresses[NAMED_BY[function]] = str(client.read(contract, function))
    if ledger.certificates_address:
        addresses["certificates"] = ledger.certificates_address
    return Deployment(
        community=community.name,
        currency=community.currency,
        chain_id=client.chain_id,
        block=client.height,
        accounts=(*community.ids, *NAMED),
        contracts={
            name: Deployed(address=address, code_keccak=code_keccak(client.code(address)))
            for name, address in (addresses | dict(more or {})).items()
        },
    )


def code_keccak(code: bytes) -> str:
    """Keccak-256 of code, 0x-hex."""
    return "0x" + keccak(code).hex()


def is_ours(name: str, code: bytes) -> bool:
    """Whether deployed code is that of this program, or of a released version before it."""
    return version_of(name, code) is not None
