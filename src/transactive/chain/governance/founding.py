"""A governor is founded: it gets every owner's role, and nobody's key keeps one. And which keys go on working.

What each key can still do is said in words, because members who give an owner up want to know what that leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from transactive.chain.artifact import artifact
from transactive.chain.deployments.deployment import Deployed, Deployment, code_keccak
from transactive.chain.deployments.members import furthest_gate
from transactive.chain.ledgers.notice import NOBODY
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.events import event_of
from transactive.core.accounts import NAMED
from transactive.core.community.community import Community
from transactive.core.errors import ChainError, InputError
from transactive.core.governance.numbers import bounds_of, values_of

DAY = 86400
FINALITY_SECONDS = 3600
"""Time that a block of a chain elsewhere has to become final before a gate asks for its rules [s]."""
NO_DOCUMENT = bytes(32)
DEPLOYED_WITHIN = 10_000
"""Blocks before the last one of a deployment in which its contracts and offices were made."""
CAN = {
    "operator": "commit slots and propose nettings, which anybody can prove wrong at the cost of its bond; admit"
    " accounts. It cannot move money or change a rule",
    "arbiter": "veto a netting, pause deposits and nettings. It cannot pay, or keep money in",
    "gateway": "sign the readings of meters: what it signs is what is paid",
    "registrar": "say who is a member, a season before that one votes; announce new keys, which the member can stop",
    "markets' operator": "run the markets of the registry",
    "guardian": "stop a proposal once, for seven days. It decides nothing",
    "minter": "create money, up to the cap of the currency",
}
"""What a key can still do, by its office."""
Terms = tuple[int, int, int, int, int]
"""Seconders, period [s], approval [ppm], majority [ppm], delay [s]."""
ORDINARY: Terms = (2, 7 * DAY, 120_000, 500_000, 3 * DAY)
BASIC: Terms = (5, 14 * DAY, 250_000, 666_667, 14 * DAY)
"""Fee, levy and the like; and everything else. A small community needs no more seconders than it has others."""


@dataclass(frozen=True, slots=True)
class Founding:
    """How a governor is founded. guardian: address, nobody's for none; times [s]."""

    guardian: str = NOBODY
    season: int = 30 * DAY
    quiet: int = 2 * DAY
    grace: int = 14 * DAY
    ordinary: Terms = ORDINARY
    basic: Terms = BASIC


@dataclass(frozen=True, slots=True)
class WorkingKey:
    """A key that works after the owner is gone: its office, address, and what it can still do."""

    office: str
    address: str
    can: str


def found(
    client: ChainClient, known: Deployment, community: Community, owner: LocalAccount, founding: Founding, now: int
) -> Deployment:
    """Deploy rules and governor; gives the address book with both, which is kept before `hand_over`.

    Raises InputError for a deployment that cannot be governed, or whose owner is another.
    """
    if known.groups or "registry" not in known.contracts:
        raise InputError("only members of a registry can vote: deploy with --with registry, and not in groups")
    strangers = _strangers(client, known, owner)
    if name := next((name for name in strangers if name != "currency"), None):
        raise InputError(f"{name} belongs to {strangers[name]}, not to the key that signs; give the owner's key")
    lead = (furthest_gate(community) + 1) * community.clock.length + FINALITY_SECONDS
    rules = client.deploy(owner, "rules", lead, bounds_of(community), values_of(community), NO_DOCUMENT)
    client.block(now)
    registry, settlement = known.address("registry"), known.address("settlement")
    times = (founding.season, founding.quiet, founding.grace)
    without = [known.accounts.index(name) for name in NAMED]
    governor = client.deploy(
        owner, "governor", registry, settlement, rules.address, founding.guardian, *times, founding.ordinary,
        founding.basic, without,
    )  # fmt: skip
    client.block(client.head_timestamp + 1)
    made = {name: _deployed(client, contract) for name, contract in (("rules", rules), ("governor", governor))}
    return msgspec.structs.replace(known, contracts=known.contracts | made)


def hand_over(client: ChainClient, known: Deployment, owner: LocalAccount) -> list[str]:
    """Give the governor every owner's role that a key has yet, and prove it; names of what it owns.

    It can be done again after an interruption. Raises ChainError if a role stays with somebody.
    """
    governor = client.contract("governor", known.address("governor"))
    rules = client.contract("rules", known.address("rules"))
    if client.read(rules, "governor") == owner.address:
        client.send(owner, rules, "setGovernor", governor.address)
    for contract in owned_contracts(client, known).values():
        if owner_of(client, contract) == owner.address:
            client.send(owner, contract, "offerOwnership", governor.address)
            client.send(owner, governor, "acceptOwnership", contract.address)
    client.block(client.head_timestamp + 1)
    return proved(client, known)


def is_handed_over(client: ChainClient, known: Deployment, owner: LocalAccount) -> bool:
    """Whether a deployment has a governor, and nothing of it is the owner's any more."""
    if "governor" not in known.contracts:
        return False
    rules = client.contract("rules", known.address("rules"))
    owners = [owner_of(client, contract) for contract in owned_contracts(client, known).values()]
    return owner.address not in (*owners, client.read(rules, "governor"))


def _strangers(client: ChainClient, known: Deployment, owner: LocalAccount) -> dict[str, str]:
    """Contracts that are not the owner's, with whose they are."""
    owners = {name: owner_of(client, contract) for name, contract in owned_contracts(client, known).items()}
    return {name: address for name, address in owners.items() if address != owner.address}


def _foreign(client: ChainClient, known: Deployment) -> list[str]:
    """The currency, where it is somebody else's token and was never the community's."""
    currency = client.contract("currency", known.address("currency"))
    return [] if owner_of(client, currency) == known.address("governor") else ["currency"]


def owned_contracts(client: ChainClient, known: Deployment) -> dict[str, Contract]:
    """Contracts of a deployment that have an owner of their own, by name."""
    return {
        name: client.contract(name, deployed.address)
        for name, deployed in known.contracts.items()
        if _has(name, "offerOwnership")
    }


def owner_of(client: ChainClient, contract: Contract) -> str:
    """Address of a contract's owner; nobody's of a token that has none."""
    try:
        return str(client.read(contract, "owner"))
    except ChainError:
        return NOBODY


def proved(client: ChainClient, known: Deployment) -> list[str]:
    """Names of what the governor owns, by `require_no_owner`; a token of others is none of the community's."""
    return require_no_owner(client, known, besides=_foreign(client, known))


def require_no_owner(client: ChainClient, known: Deployment, besides: Sequence[str] = ()) -> list[str]:
    """Names of contracts that the governor owns, after proof that no key owns one, or was offered one.

    besides: a currency that is somebody else's, and was never the community's. Raises ChainError naming the first.
    """
    governor, found = known.address("governor"), []
    for name, contract in owned_contracts(client, known).items():
        if name in besides:
            continue
        owner, pending = owner_of(client, contract), str(client.read(contract, "pendingOwner"))
        if owner != governor or pending != NOBODY:
            left = owner if owner != governor else pending
            raise ChainError(f"{name}: {left} is its owner or can become it; the governor {governor} is not alone")
        found.append(name)
    rules = client.contract("rules", known.address("rules"))
    if (of := str(client.read(rules, "governor"))) != governor:
        raise ChainError(f"rules: {of} writes them, not the governor {governor}")
    return [*found, "rules"]


def working_keys(client: ChainClient, known: Deployment) -> list[WorkingKey]:
    """Keys that have an office, and what each can still do."""
    settlement = client.contract("settlement", known.address("settlement"))
    registry = client.contract("registry", known.address("registry"))
    governor = client.contract("governor", known.address("governor"))
    judge = client.contract("disputes", known.address("disputes"))
    asked = (
        ("operator", settlement, "operator"),
        ("arbiter", settlement, "arbiter"),
        ("gateway", judge, "gateway"),
        ("registrar", registry, "registrar"),
        ("markets' operator", registry, "operator"),
        ("guardian", governor, "guardian"),
    )
    keys = [WorkingKey(office, str(client.read(on, view)), CAN[office]) for office, on, view in asked]
    minters = [
        WorkingKey("minter", at, "create money that it has been paid for, up to the cap")
        for at in _minters(client, known)
    ]
    return [key for key in (*keys, *minters) if key.address != NOBODY]


def _minters(client: ChainClient, known: Deployment) -> list[str]:
    """Who may create money, in the order in which they were named."""
    currency = client.contract("currency", known.address("currency"))
    named: dict[str, None] = {}
    for log in client.cursor([currency], max(known.block - DEPLOYED_WITHIN, 0)).read().added:
        try:
            name, values = event_of(currency, log)
        except ChainError:  # an event of a token that is not ours
            continue
        if name == "MinterSet":
            named[str(values["minter"])] = None
    return [minter for minter in named if client.read(currency, "isMinter", minter)]


def _has(name: str, function: str) -> bool:
    """Whether a contract of ours has a function."""
    return any(entry.get("name") == function for entry in artifact(name).abi)


def _deployed(client: ChainClient, contract: Contract) -> Deployed:
    """Address and hash of the code that is there."""
    address = str(contract.address)
    return Deployed(address=address, code_keccak=code_keccak(client.code(address)))
