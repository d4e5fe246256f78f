"""A member's own account at its box: the key that nobody else has, and what it allows the box to trade.

The account's key signs one thing here, the grant to the box's key; afterwards it can be taken to a safe place, and is
needed again for other limits, another market, and to withdraw money.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from transactive.core.boxes.messages import Terms
from transactive.core.errors import StateError
from transactive.core.proofs.signed_orders import MOST_WH, Grant, domain, sign_grant
from transactive.core.proofs.signing import address_of
from transactive.core.slots import DAY
from transactive.metering.record_file import OWNER_FOLDER
from transactive.node.files import write_whole

ACCOUNT_FILE, GRANT_FILE = "account", "grant.json"
GRANT_DAYS, RENEW_DAYS = 366, 30
"""How long a grant holds, and how long before its end another one is made [d]."""


class _Granted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. settlement: contract that it is for. signature: of the member, hexadecimal."""

    settlement: str
    chain_id: int
    grant: Grant
    signature: str


def make_account(folder: Path) -> str:
    """Make a member's key in the folder of its box; returns its address. Raises StateError if there is one."""
    folder.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    if (folder / ACCOUNT_FILE).exists():
        raise StateError(f"{folder / ACCOUNT_FILE}: is there already; a key is never replaced")
    key = os.urandom(32)
    write_whole(folder / ACCOUNT_FILE, key)
    return address_of(key)


def has_own_account(folder: Path) -> bool:
    """Whether the member of a box keeps the key of its account itself, here or elsewhere; else the market trades."""
    return (folder / ACCOUNT_FILE).exists() or (folder / GRANT_FILE).exists()


def granted(folder: Path, box: str, terms: Terms, limits: tuple[int, int], now: int) -> tuple[Grant, bytes] | None:
    """The grant to a box (address) for a market, with the member's signature; None where the member gave none.

    limits: highest price to buy and lowest to sell at [µ¤/kWh]. It is made where the account's key is here and no grant
    holds that says the same. Raises StateError where it cannot be read or written.
    """
    found, path = _read(folder / GRANT_FILE), folder / ACCOUNT_FILE
    same = found is not None and (found.settlement, found.chain_id) == (terms.settlement, terms.chain_id)
    if found and same:
        given = found.grant
        is_as_said = (given.account, given.agent, given.highest_buy, given.lowest_sell) == (terms.account, box, *limits)
        if is_as_said and given.valid_until > now + RENEW_DAYS * DAY:
            return given, bytes.fromhex(found.signature)
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    if address_of(key) != terms.address.lower():
        raise StateError(
            f"{path}: is the key of {address_of(key)}, and the market has {terms.address} as this member's account;"
            " tell its operator, or bring the key of that account"
        )
    grant = Grant(terms.account, box, *limits, MOST_WH, now + GRANT_DAYS * DAY)
    signature = sign_grant(grant, key, domain(terms.chain_id, terms.settlement))
    write_whole(
        folder / GRANT_FILE,
        msgspec.json.encode(_Granted(terms.settlement, terms.chain_id, grant, signature.hex())),
    )
    return grant, signature


def _read(path: Path) -> _Granted | None:
    """The grant that was made last."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Granted)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(
            f"{path}: {error}; delete it where the account's key is at hand, and it is made anew"
        ) from None
