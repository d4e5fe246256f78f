"""What the contract of rules has decided, in blocks that are final."""

from __future__ import annotations

from transactive.chain.governance.proposals import Governance
from transactive.chain.nodes.events import event_of
from transactive.core.errors import ChainError
from transactive.core.governance.decided import Decided, holding_from
from transactive.core.governance.numbers import number_at

DEPTH = 32
"""Blocks on top of one after which nobody expects it to be taken back, on a chain that others use."""


def decisions(
    governance: Governance, length: int, open_from: int, after: int = -1, depth: int = DEPTH
) -> list[Decided]:
    """Decisions of final blocks after block number `after`, oldest first.

    length: of a slot [s]; open_from: first slot whose gate is open [Unix s]. Blocks of an embedded chain are final.
    """
    client, rules = governance.client, governance.rules
    last = client.height - (0 if client.is_embedded else depth)
    found = []
    for log in client.logs(rules, after + 1, last) if last > after else ():
        name, said = event_of(rules, log)
        if name == "RuleSet":
            block, since = int(log["blockNumber"], 16), int(said["since"])
            found.append(
                Decided(
                    number=number_at(int(said["rule"])).name,
                    value=int(said["amount"]),
                    since=since,
                    holds_from=holding_from(since, length, open_from),
                    block=block,
                    block_hash=str(log["blockHash"]),
                    at=client.time_of(block),
                )
            )
    return found


def require_on_chain(governance: Governance, decided: Decided) -> None:
    """Raise ChainError if the block of a recorded decision is no longer on the chain: then it was not final."""
    logs = governance.client.logs(governance.rules, decided.block, decided.block)
    if decided.block_hash not in {str(log["blockHash"]) for log in logs}:
        raise ChainError(
            f"block {decided.block}, in which {decided.number} was decided on, is not on this chain any more; check the"
            " node, or the chain was reorganised further back than a final block"
        )
