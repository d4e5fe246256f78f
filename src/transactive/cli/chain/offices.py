"""`transactive chain act`: what members, operator, arbiter and owner can do beside the run, each in its own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.cli.chain.funds import amount_n, opened, time_of_step
from transactive.core.errors import InputError
from transactive.core.slots import parse_time

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.history import Opening
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient

ANYBODY = "account"
ON, OFF = True, False
UNLIMITED = 2**256 - 1
NONE = "none"


@dataclass(frozen=True, slots=True)
class Where:
    """What a call is made of: the deployment, and what was given on the command line."""

    client: ChainClient
    ledger: ChainLedger
    known: Deployment
    amount: str | None
    slot: str | None
    account: str | None
    agent: str | None

    @property
    def index(self) -> int:
        """Account that was named. Raises InputError without one."""
        if self.account is None:
            raise InputError("this is done by an account: name it with --account")
        return self.known.index(self.account)

    @property
    def amount_n(self) -> int:
        """Money that was given [n¤]. Raises InputError without it."""
        if self.amount is None:
            raise InputError("this wants --amount, a number with up to nine decimals, like 12.50")
        return amount_n(self.amount)

    def opening(self) -> Opening:
        """The commitment of --slot, or the last one. Raises InputError if there is none."""
        from transactive.chain.history import opening

        settlement = self.client.contract("settlement", self.ledger.address)
        made = self.ledger.commitments()
        seconds = int(self.client.read(settlement, "slotSeconds"))
        wanted = made[-1].slot if made and self.slot is None else None
        if self.slot is not None:
            wanted = parse_time(self.slot) // seconds
        places = [place for place, one in enumerate(made) if one.slot == wanted]
        if not places:
            raise InputError("no such slot is committed; give --slot the start of one that is")
        return opening(made, places[-1], int(self.client.read(settlement, "slotsPerPeriod")))


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do: by whom (a role, or an account), the contract's function, its arguments, and what it means."""

    by: str
    function: str
    arguments: Callable[[Where], tuple[Any, ...]]
    means: str
    contract: str = "settlement"


def _none(_: Where) -> tuple[Any, ...]:
    return ()


ACTS: dict[str, Act] = {
    "pause": Act("arbiter", "setPaused", lambda _: (ON,), "deposits and nettings are stopped; withdrawals go on"),
    "resume": Act("arbiter", "setPaused", lambda _: (OFF,), "deposits and nettings go on"),
    "veto": Act(
        "arbiter",
        "veto",
        lambda w: (w.opening().content,),
        "the netting is stopped; slots from this one on count no more",
    ),
    "retract": Act(
        "operator",
        "retract",
        lambda w: (w.opening().content,),
        "the netting and the last commitment are taken back; evidence against them counts for a window",
    ),
    "close": Act(ANYBODY, "declareSilence", _none, "the books are closed for ever; everybody can leave at once"),
    "limit": Act(
        ANYBODY,
        "setLimit",
        lambda w: (UNLIMITED if w.amount == NONE else w.amount_n,),
        "this is the most that a period may debit, from the first one whose gates are all open",
    ),
    "revoke": Act(
        ANYBODY,
        "revoke",
        lambda w: (w.index, w.agent),
        "the agent may not trade any more, for all gates that are open by the next slot",
        "disputes",
    ),
    "demand": Act(
        ANYBODY,
        "demand",
        lambda w: (w.opening().content, w.index),
        "the operator has a quarter of a window to show what stands behind your place",
        "demands",
    ),
    "overdue": Act(
        ANYBODY,
        "challengeSilence",
        lambda w: (w.opening().content, w.index),
        "the demand was not answered in time; the operator pays",
        "demands",
    ),
    "claim": Act(ANYBODY, "claim", _none, "what penalties awarded was paid out"),
    "stake": Act("operator", "fundBond", lambda w: (w.amount_n,), "the stake has grown"),
    "unstake": Act(
        "operator", "requestBond", lambda w: (w.amount_n,), "this part of the stake can leave after the notice"
    ),
    "take-stake": Act("operator", "takeBond", _none, "what was announced of the stake has left"),
}


def run_act(
    act: str,
    *,
    amount: str | None,
    slot: str | None,
    account: str | None,
    agent: str | None,
    node: str,
    deployment: Path,
    keys: Path | None,
    password_file: Path | None,
    seed: str,
) -> dict[str, Any]:
    """Do one of `ACTS` and say what it means. Raises InputError, ChainError, ContractRevert."""
    found = ACTS[act]
    if act == "revoke" and agent is None:
        raise InputError("whose grant ends? give --agent its address")
    where = {"node": node, "deployment": deployment, "keys": keys, "password_file": password_file, "seed": seed}
    with opened(**where) as (client, ledger, known):  # type: ignore[arg-type]
        given = Where(client, ledger, known, amount, slot, account, agent)
        key = ledger.keys.account(given.index) if found.by == ANYBODY else ledger.keys.role(found.by)
        contract = client.contract(found.contract, known.address(found.contract))
        client.send(key, contract, found.function, *found.arguments(given))
        receipt = client.block(time_of_step(client)).receipts[-1]
        by = account if found.by == ANYBODY else found.by
        return {"did": act, "by": by, "means": found.means, "block": receipt.block, "gas": receipt.gas_used}
