"""What members do about decisions from the page: ballots signed with their keys, seconds, proxies, proposals.

A ballot is kept as it is signed and brought where a key that pays for gas is here; else whoever operates brings it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import msgspec

from transactive.core.errors import ChainError, InputError, SignatureError, StateError
from transactive.core.governance.ballots import ANSWERS, LAST_TURN, Ballot, SignedBallot
from transactive.core.governance.numbers import BY_NAME
from transactive.core.slots import parse_time
from transactive.services.acts.signers import signer_of
from transactive.services.governing.asked import (
    AskBallot,
    AskPropose,
    AskProxy,
    AskSecond,
    AskVote,
    DecisionAsked,
)
from transactive.services.governing.kept import document_of
from transactive.services.governing.log import LOCK, DecidingAct, acts, add
from transactive.services.governing.standing import Decisions, GovernanceStanding

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.governance.proposals import Governance


@dataclass(frozen=True, slots=True)
class Decider:
    """Who asks. member: by id; account: that signed in; key: of the request; now: by the clock on the wall [Unix s]."""

    member: str
    account: str = ""
    key: str = ""
    now: int = 0


def decide(decisions: Decisions, asked: DecisionAsked, who: Decider) -> DecidingAct:
    """Do what a member asks for; the same request with the same key is done once.

    Raises InputError for what cannot be, StateError where the key of the member's account is not here, ChainError with
    the reason of the contract.
    """
    folder = decisions.folder
    with filelock.FileLock(folder / LOCK, mode=0o600), decisions.governed() as governance:
        index, text = governance.index_of(who.member), msgspec.json.encode(asked).decode()
        entry = DecidingAct(member=index, proposal=-1, asked=text, at=who.now, by=who.account, key=who.key)
        earlier = next((act for act in acts(folder) if who.key and (act.member, act.key) == (index, who.key)), None)
        if earlier is not None:
            if earlier.asked != text:
                raise InputError("this idempotency key was used for another request; take a new one for each act")
            return earlier
        done = _done(governance, folder, asked, entry)
        decisions.forget()
        return done


def waiting_ballots(folder: Path, standing: GovernanceStanding) -> list[DecidingAct]:
    """Newest ballot of each member that the chain does not have yet, of proposals that are voted on."""
    newest = {(act.proposal, act.member): act for act in acts(folder) if act.signature}
    waiting = []
    for (number, member), act in newest.items():
        found = standing.proposal(number)
        if found and found.proposal.stage.startswith("voting") and act.content == found.content.hex():
            vote = found.votes.get(member)
            waiting += [act] if vote is None or vote.turn < act.turn else []
    return waiting


def signed_ballot(act: DecidingAct) -> SignedBallot:
    """A kept ballot as it is brought."""
    ballot = Ballot(act.proposal, bytes.fromhex(act.content), act.member, act.support, act.turn)
    return SignedBallot(ballot, bytes.fromhex(act.signature))


def _done(governance: Governance, folder: Path, asked: DecisionAsked, entry: DecidingAct) -> DecidingAct:
    """The act, done and in the log."""
    match asked:
        case AskVote() | AskBallot():
            made = _ballot(governance, folder, asked, entry)
            add(folder, made)  # kept before it is brought: then a kill in between loses no vote
            _bring(governance, folder, [made], entry.at)
            return made
        case AskSecond():
            governance.proposal(asked.proposal)
            sent = _send(governance, folder, entry, "second", asked.proposal)
            made = msgspec.structs.replace(entry, proposal=asked.proposal, transaction=sent)
        case AskProxy():
            to = entry.member if asked.to is None else asked.to
            made = msgspec.structs.replace(
                entry, transaction=_send(governance, folder, entry, "setProxy", entry.member, to)
            )
        case AskPropose():
            made = _proposed(governance, folder, asked, entry)
    add(folder, made)
    return made


def _proposed(governance: Governance, folder: Path, asked: AskPropose, entry: DecidingAct) -> DecidingAct:
    """A proposal, sent. Raises InputError for a number that members do not decide on, or consequences not kept here."""
    from transactive.chain.governance.wanted import numbers_set

    for name in asked.numbers:
        if name not in BY_NAME:
            raise InputError(f"numbers: {name} is none that members decide on; those are {', '.join(BY_NAME)}")
    if asked.document and document_of(folder, asked.document) is None:
        raise InputError(f"document: no consequences {asked.document} are kept here; leave it out, or keep them first")
    actions = numbers_set(governance, asked.numbers, parse_time(asked.since))
    digest = bytes.fromhex(asked.document) if asked.document else bytes(32)
    sent = _send(governance, folder, entry, "propose", 0, actions, digest)
    number = int(governance.client.read(governance.governor, "count")) - 1
    return msgspec.structs.replace(entry, proposal=number, transaction=sent)


def _ballot(governance: Governance, folder: Path, asked: AskVote | AskBallot, entry: DecidingAct) -> DecidingAct:
    """A ballot that its member signed. Raises InputError where the vote is closed, or the signature another's."""
    found, client = governance.proposal(asked.proposal), governance.client
    if not found.stage.startswith("voting"):
        raise InputError(f"proposal {asked.proposal}: is not voted on now; it is {found.stage}")
    if not client.read(governance.governor, "isElector", entry.member):
        raise InputError("you are no elector yet: members vote a season after they joined")
    content, governor = bytes(client.read(governance.governor, "contents", asked.proposal)), governance.governor.address
    support, before = ANSWERS[asked.answer], _last_turn(governance, folder, asked.proposal, entry.member)
    if before >= LAST_TURN:
        raise InputError(f"proposal {asked.proposal}: your own transaction, or your last ballot, has decided your vote")
    ballot = Ballot(
        asked.proposal, content, entry.member, support, asked.turn if isinstance(asked, AskBallot) else before + 1
    )
    if isinstance(asked, AskBallot):
        signed = SignedBallot(ballot, bytes.fromhex(asked.signature.removeprefix("0x")))
        _require_signed(governance, signed)
    else:
        key = _key(governance, folder, entry.member)
        signed = ballot.signed(bytes(key.key), client.chain_id, str(governor))
    return msgspec.structs.replace(
        entry, proposal=asked.proposal, support=support, turn=ballot.turn, content=content.hex(),
        signature=signed.signature.hex(),
    )  # fmt: skip


def _last_turn(governance: Governance, folder: Path, number: int, index: int) -> int:
    """Turn of a member's newest ballot, here or on chain."""
    _, on_chain = governance.client.read(governance.governor, "voteOf", number, index)
    kept = (act.turn for act in acts(folder) if act.signature and (act.proposal, act.member) == (number, index))
    return max(int(on_chain), max(kept, default=0))


def _require_signed(governance: Governance, signed: SignedBallot) -> None:
    """Require a ballot of its member's account. Raises SignatureError."""
    holder = _holder(governance, signed.ballot.index)
    if signed.signer(governance.client.chain_id, str(governance.governor.address)) != holder.lower():
        raise SignatureError("the ballot is not signed by the account of this member; an agent's key cannot vote")


def _holder(governance: Governance, index: int) -> str:
    """Account of a member now."""
    registry = governance.client.contract("registry", governance.known.address("registry"))
    return str(governance.client.read(registry, "accountOf", index))


def _key(governance: Governance, folder: Path, index: int) -> LocalAccount:
    """Key of a member's account. Raises StateError where it is not here."""
    elsewhere = StateError(
        "the key of this home's account is not here, so nothing is signed for it; vote with `transactive govern vote"
        " --keys FOLDER`, or send a ballot that you signed"
    )
    keys = signer_of(folder).keys
    try:
        keys.check(governance.client)
        key = keys.account(index)
    except ChainError:
        raise elsewhere from None
    if str(key.address) != _holder(governance, index):
        raise elsewhere
    return key


def _send(governance: Governance, folder: Path, entry: DecidingAct, function: str, *arguments: Any) -> str:  # noqa: ANN401
    """Send one call of the governor with the member's key; hash of the transaction. Raises ContractRevert."""
    from transactive.chain.nodes.step_time import step_time

    client = governance.client
    client.send(_key(governance, folder, entry.member), governance.governor, function, *arguments)
    return client.block(step_time(client, entry.at)).receipts[-1].tx_hash.hex()


def _bring(governance: Governance, folder: Path, ballots: Sequence[DecidingAct], now: int) -> None:
    """Bring ballots with the operator's key, where that is here; else they wait for who has it."""
    from transactive.chain.nodes.step_time import step_time

    client = governance.client
    try:
        keys = signer_of(folder).keys
        keys.check(client)
    except (ChainError, StateError):
        return
    content = [signed_ballot(act).content for act in ballots]
    client.send(keys.role("operator"), governance.governor, "castMany", ballots[0].proposal, content)
    client.block(step_time(client, now))
