"""Values that carry a proof: permits, readings of a meter or for a direct issue, a leaf in its place."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from transactive.chain.acts.call import Call
from transactive.chain.disputes import evidence
from transactive.chain.disputes.leaf_file import LeafFile, load
from transactive.core.errors import DataError, InputError
from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.signed_orders import split
from transactive.core.slots import HOUR, parse_time

PERMIT = ("owner address", "spender address", "value uint256", "nonce uint256", "deadline uint256")
READING = ("meter uint256", "slot uint256", "exported uint256", "imported uint256")
ISSUE = ("slot uint256", "registers uint256[]", "spared uint256")
MARKETS = {"balance_market": "TransActive balance market", "trade_board": "TransActive trade board"}
SIGNATURE_BYTES = 65
COLUMNS = tuple(name.removesuffix("_wh") for name in REGISTERS.names)

Signed = tuple[int, bytes, bytes]


def permit(call: Call, until: str, made: Sequence[Any]) -> tuple[Any, ...]:
    """Deadline and signature of a holder's permit. made: holder, spender if it is not the settlement, amount."""
    from eth_utils.address import to_checksum_address

    holder, amount = made[0], made[-1]
    spender = made[1] if len(made) > len(("holder", "amount")) else call.settlement.address
    names = [name for name in call.known.accounts if call.address(name) == holder]
    if not names:
        raise InputError(f"{holder} is no account of the deployment, so that its key cannot sign here")
    deadline = parse_time(until) if until else call.now + HOUR
    currency = call.client.contract("currency", call.client.read(call.settlement, "currency"))
    named, nonce = call.client.read(currency, "name"), int(call.client.read(currency, "nonces", holder))
    values = (to_checksum_address(holder), spender, amount, nonce, deadline)
    key = call.signers.account(names[0])
    return deadline, *_sign(call, key, (named, currency.address), ("Permit", PERMIT), values)


def leaf_shown(call: Call, text: str, made: Sequence[Any]) -> tuple[Any, ...]:  # noqa: ARG001 - as all kinds
    """Commitment and leaf of a file that the operator gave."""
    file = load(Path(text), LeafFile)
    return file.opening.content, evidence.shown(file.index, file.content, file.steps)


def meter_signature(call: Call, text: str, made: Sequence[Any]) -> tuple[Any, ...]:
    """Signature of a meter: as it is, or made here with the meter's key. made: slot, meter, exported, imported."""
    if text.startswith("0x"):
        raw = bytes.fromhex(text[2:]) if len(text) == 2 * (SIGNATURE_BYTES + 1) else b""
        if len(raw) != SIGNATURE_BYTES:
            raise InputError("give 65 bytes as 0x-hex, or the name of the meter's key")
        return split(raw)
    slot, meter, exported, imported = made
    where = MARKETS[call.act.contract], call.contract.address
    return _sign(call, call.signers.named(text), where, ("Reading", READING), (meter, slot, exported, imported))


def registers(call: Call, text: str, _: Sequence[Any]) -> tuple[Any, ...]:
    """Packed registers of all accounts, from a CSV file. Raises DataError naming row and column."""
    packed: dict[int, int] = {}
    try:
        with Path(text).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"{text}: cannot be read ({error.strerror})") from None
    for place, row in enumerate(rows, 2):
        try:
            index = call.known.index(row["member"])
            packed[index] = REGISTERS.pack([int(row[column]) for column in COLUMNS])
        except KeyError as error:
            raise DataError(f"{text}: has no column {error}; it needs member, {', '.join(COLUMNS)}") from None
        except (TypeError, ValueError) as error:
            raise DataError(f"{text}, row {place}: {error}; give whole Wh") from None
    if not packed:
        raise DataError(f"{text}: has no row; it needs one for each member with a reading")
    return ([packed.get(index, 0) for index in range(max(packed) + 1)],)


def direct_issue(call: Call, spared: Sequence[str], made: Sequence[Any]) -> tuple[Any, ...]:
    """Bitmap of spared members, and the gateway's signature. made: slot, registers, accounts."""
    slot, packed, _ = made
    bitmap = sum({1 << call.known.index(name) for name in spared})
    where = "TransActive Certificates", call.contract.address
    signed = _sign(call, call.gateway(), where, ("Issue", ISSUE), (slot, packed, bitmap))
    return bitmap, signed


def _sign(
    call: Call, key: LocalAccount, place: tuple[str, str], kind: tuple[str, Sequence[str]], values: Sequence[Any]
) -> Signed:
    """Signature of typed data (EIP-712) for a contract, by name and address. kind: name and fields of the struct."""
    (name, contract), (struct, fields) = place, kind
    parts = [field.split() for field in fields]
    domain = {"name": name, "version": "1", "chainId": call.client.chain_id, "verifyingContract": contract}
    types = {struct: [{"name": part, "type": sort} for part, sort in parts]}
    message = dict(zip((part for part, _ in parts), values, strict=True))
    made = key.sign_typed_data(domain, types, message)
    return made.v, made.r.to_bytes(32, "big"), made.s.to_bytes(32, "big")
