"""What a proposal would do, as actions: numbers of the rules from a slot on, within what the contracts take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web3.contract import Contract

from transactive.chain.governance.proposals import Action, Governance
from transactive.core.errors import InputError
from transactive.core.governance.numbers import BY_NAME, NUMBERS
from transactive.core.slots import time_text


def numbers_set(governance: Governance, values: Mapping[str, int], since: int) -> list[Action]:
    """Actions that set numbers, by name, from a time on [Unix s]. Raises InputError for what would be refused."""
    client, rules, made = governance.client, governance.rules, []
    soonest = client.head_timestamp + int(client.read(rules, "lead"))
    if values and since < soonest:
        raise InputError(
            f"since {time_text(since)} is too soon: rules hold from {time_text(soonest)} on at the earliest, after the"
            " vote"
        )
    for name, amount in values.items():
        number, place = BY_NAME[name], NUMBERS.index(BY_NAME[name])
        now = int(client.read(rules, "at", place, client.head_timestamp))
        low, high, step = map(int, client.read(rules, "bounds", place))
        if not low <= amount <= high or abs(amount - now) > step:
            near, far = max(low, now - step), min(high, now + step)
            raise InputError(
                f"{name}={number.said(amount)}: it is {number.said(now)} and can become {number.said(near)} to"
                f" {number.said(far)} at once ({number.unit})"
            )
        made.append(encoded(rules, "setRule", [place, amount, since]))
    return made


def encoded(contract: Contract, function: str, values: list[Any]) -> Action:
    """Target and call data."""
    return str(contract.address), bytes.fromhex(contract.encode_abi(function, values)[2:])
