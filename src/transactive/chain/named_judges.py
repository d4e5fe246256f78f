"""Which judges a settlement has, beside the one that it names itself.

That one, `disputes`, has a place for the judge of demands. In it stands that judge; or, in a settlement of groups, the
judge of a whole; or a list of judges (`contracts/judges.vy`), where members trade directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from transactive.chain.releases import has_function
from transactive.core.errors import InputError

if TYPE_CHECKING:
    from web3.contract import Contract

    from transactive.chain.nodes.client import ChainClient

KNOWN_BY = {
    "judges": "isJudge(address)",
    "demands": "demands(uint256)",
    "deals": "postedAt(bytes32)",
    "group_disputes": "asked(bytes32,address)",
}
"""A function that only this judge has."""
LISTED = ("demands", "deals")
NOBODY = "0x" + "00" * 20


def named_judges(client: ChainClient, disputes: Contract) -> dict[str, str]:
    """Addresses of the judges behind the place for demands, by name; none where the place is empty."""
    first = str(client.read(disputes, "demands"))
    if first == NOBODY:
        return {}
    found = {_name(client, first): first}
    if "judges" in found:
        listed = client.read(client.contract("judges", first), "all")
        found |= {_name(client, one): one for one in listed}
    return found


def judge(client: ChainClient, disputes: Contract, name: str) -> Contract | None:
    """A judge by its name; None if the settlement has none."""
    address = named_judges(client, disputes).get(name)
    return client.contract(name, address) if address else None


def demands_judge(client: ChainClient, disputes: Contract) -> Contract:
    """The judge of what is kept back. Raises InputError without one."""
    if found := judge(client, disputes, "demands"):
        return found
    raise InputError("the settlement has no judge of demands; nothing can be demanded there")


def _name(client: ChainClient, address: str) -> str:
    """Name of a judge by its code: what nobody knows counts as an earlier judge of demands."""
    code = client.code(address)
    return next((name for name, function in KNOWN_BY.items() if has_function(code, function)), "demands")
