"""What `transactive govern …` does: each act is one transaction, or a signature that somebody else brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from transactive.cli.chain.signing import opened, time_of_step
from transactive.cli.govern.ballot_files import read_ballots, write_ballot
from transactive.cli.govern.calls import call_of, kind_of
from transactive.core.errors import InputError
from transactive.core.governance.ballots import ANSWERS, Ballot
from transactive.core.governance.numbers import numbers_written
from transactive.core.slots import parse_time, time_text
from transactive.store import holds_state

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.governance.founding import WorkingKey
    from transactive.chain.governance.proposals import Governance, Proposal
    from transactive.chain.keys.signers import Signers
    from transactive.cli.signing_options import ChainOptions
    from transactive.core.governance.ballots import SignedBallot

DAY = 86400
PUBLIC = "votes are public by index for ever, and whoever runs the market knows who is behind an index"
Facts = dict[str, Any]


class Wanted(NamedTuple):
    """How a governor is founded, where not as usual. Times [days]; None keeps the usual."""

    guardian: str | None
    season: int
    quiet: int
    grace: int


@contextmanager
def governed(where: ChainOptions) -> Iterator[tuple[Governance, Signers]]:
    """A deployment with its governor. Raises InputError, ChainError."""
    from transactive.chain.governance.proposals import Governance

    with opened(where.node, where.deployment, where.keys, where.password_file, where.seed) as (client, signers, known):
        yield Governance(client, known), signers


def run_adopt(community: Path, where: ChainOptions, wanted: Wanted) -> Facts:
    """Found a governor, hand every owner's role to it, prove that, and write the deployment anew."""
    from transactive.chain.governance.founding import Founding, found, hand_over, is_handed_over, working_keys
    from transactive.chain.ledgers.notice import NOBODY
    from transactive.config.community_file import load

    read = load(community)
    with opened(where.node, where.deployment, where.keys, where.password_file, where.seed) as (client, signers, known):
        if read.name != known.community:
            raise InputError(f"{community}: is {read.name!r}, the deployment that of {known.community!r}; give its own")
        guardian = NOBODY if wanted.guardian is None else _guardian(signers, known, wanted.guardian)
        founding = Founding(guardian, wanted.season * DAY, wanted.quiet * DAY, wanted.grace * DAY)
        owner, made = signers.role("owner"), known
        if is_handed_over(client, known, owner):
            raise InputError("the deployment has a governor already; `govern show` tells how it stands")
        if "governor" not in known.contracts:
            made = found(client, known, read, owner, founding, time_of_step(client))
            made.save(where.deployment)  # before anything is its own, so that an interruption loses nothing
        owned = hand_over(client, made, owner)
        return {
            "governor": made.address("governor"),
            "rules": made.address("rules"),
            "owned_by_the_governor": ", ".join(owned),
            "owners_left": "none",
            "working_keys": _told(working_keys(client, made)),
            "know": PUBLIC,
        }


def run_propose(
    where: ChainOptions,
    account: str,
    kind: str,
    sets: Sequence[str],
    calls: Sequence[str],
    since: str | None,
    document: Path | None,
) -> Facts:
    """Put actions to the vote. Raises InputError for what the contracts would refuse."""
    number = kind_of(kind)
    if sets and since is None:
        raise InputError("--since is missing: say from which slot on the numbers hold, RFC 3339")
    digest = bytes(32)
    if document is not None:
        try:
            digest = sha256(document.read_bytes()).digest()
        except OSError as error:
            raise InputError(f"--document {document}: cannot be read ({error.strerror})") from None
    with governed(where) as (governance, signers):
        from transactive.chain.governance.wanted import numbers_set

        actions = numbers_set(governance, numbers_written(sets), 0 if since is None else parse_time(since))
        actions += [call_of(governance, text) for text in calls]
        if not actions:
            raise InputError("nothing is proposed; give --set NAME=VALUE or --call 'CONTRACT FUNCTION VALUES'")
        key = _member(governance, signers, account)
        _send(governance, key, "propose", number, actions, digest)
        made = governance.proposal(int(governance.client.read(governance.governor, "count")) - 1)
        return _facts(governance, made)


def run_second(where: ChainOptions, number: int, account: str) -> Facts:
    """Ask for the vote on a proposal."""
    with governed(where) as (governance, signers):
        governance.proposal(number)
        _send(governance, _member(governance, signers, account), "second", number)
        return _facts(governance, governance.proposal(number))


def run_vote(
    where: ChainOptions, number: int, answer: str, account: str, on_behalf: str | None, sign: Path | None, turn: int
) -> Facts:
    """Vote by a transaction, or sign a ballot into a file that somebody else brings."""
    support = ANSWERS[answer]
    with governed(where) as (governance, signers):
        client, key = governance.client, _member(governance, signers, account)
        index = governance.index_of(on_behalf or account)
        if sign is None:
            governance.proposal(number)
            _send(governance, key, "vote", number, index, support)
            return _facts(governance, governance.proposal(number)) | {"voted": answer, "know": PUBLIC}
        if on_behalf is not None:
            raise InputError("--for goes with a vote that is sent; a ballot is signed by its own member")
        governance.proposal(number)
        content = bytes(client.read(governance.governor, "contents", number))
        governor = str(governance.governor.address)
        ballot = Ballot(number, content, index, support, turn)
        write_ballot(sign, ballot.signed(bytes(key.key), client.chain_id, governor), client.chain_id, governor)
        return {"proposal": number, "answer": answer, "turn": turn, "written": str(sign), "sent": False, "know": PUBLIC}


def run_tally(where: ChainOptions, number: int, files: Sequence[Path], by: str, state: Path | None) -> Facts:
    """Bring signed ballots; those that cannot count are told and left out."""
    from transactive.chain.governance.proposals import BATCH

    with governed(where) as (governance, signers):
        governance.proposal(number)
        client, governor = governance.client, str(governance.governor.address)
        content = bytes(client.read(governance.governor, "contents", number))
        registry = client.contract("registry", governance.known.address("registry"))

        def holder(index: int) -> str:
            """Account of a member now."""
            return str(client.read(registry, "accountOf", index))

        ballots, left_out = read_ballots(files, number, content, (client.chain_id, governor), holder)
        if state is not None:
            ballots = _with_kept(governance, ballots, state, number, content)
        if not ballots:
            why = "; ".join(left_out) or "give files, or --state with the folder of a run"
            raise InputError(f"none of {len(files)} files has a ballot that counts: {why}")
        key = signers.named(by)
        gas = 0
        for first in range(0, len(ballots), BATCH):
            gas += _send(governance, key, "castMany", number, [one.content for one in ballots[first : first + BATCH]])
        facts = _facts(governance, governance.proposal(number))
        return facts | {"brought": len(ballots), "left_out": "; ".join(left_out) or "none", "gas": gas}


def _with_kept(
    governance: Governance, ballots: Sequence[SignedBallot], state: Path, number: int, content: bytes
) -> list[SignedBallot]:
    """Ballots with those that wait in a state, of each member the latest, in order; none that the chain has already."""
    from transactive.services.governing.acting import signed_ballot
    from transactive.services.governing.log import acts

    if not holds_state(state):
        raise InputError(f"--state {state}: holds no run; give the folder of the run on whose page members signed")
    kept = [signed_ballot(act) for act in acts(state) if act.signature and act.content == content.hex()]
    latest: dict[int, SignedBallot] = {}
    for one in (*ballots, *(each for each in kept if each.ballot.proposal == number)):
        if (old := latest.get(one.ballot.index)) is None or old.ballot.turn < one.ballot.turn:
            latest[one.ballot.index] = one
    has = {index: vote.turn for index, vote in governance.votes(number).items()}
    return [latest[index] for index in sorted(latest) if has.get(index, 0) < latest[index].ballot.turn]


def run_proxy(where: ChainOptions, account: str, to: str | None) -> Facts:
    """Let another member vote for one, or end that."""
    with governed(where) as (governance, signers):
        index = governance.index_of(account)
        proxy = index if to is None else governance.index_of(to)
        _send(governance, _member(governance, signers, account), "setProxy", index, proxy)
        return {"account": account, "proxy": to, "means": "a vote of your own always wins over your proxy's"}


def run_execute(where: ChainOptions, number: int, by: str) -> Facts:
    """Do what was decided."""
    with governed(where) as (governance, signers):
        found = governance.proposal(number)
        if found.stage == "decided, waiting":
            raise InputError(
                f"proposal {number}: was decided and waits until {time_text(found.due)}, so that whoever disagrees can"
                " leave first"
            )
        _send(governance, signers.named(by), "execute", number, list(found.actions), found.document)
        return _facts(governance, governance.proposal(number))


def run_stop(where: ChainOptions, number: int, by: str) -> Facts:
    """Let members vote again for seven days."""
    with governed(where) as (governance, signers):
        governance.proposal(number)
        _send(governance, signers.named(by), "stop", number)
        return _facts(governance, governance.proposal(number))


def run_show(where: ChainOptions, number: int | None) -> Facts:
    """How a proposal stands, or all of them, the numbers that hold, and the keys that work."""
    from transactive.chain.governance.founding import proved, working_keys

    with governed(where) as (governance, _):
        client, known, electors = governance.client, governance.known, governance.electors
        if number is not None:
            found = governance.proposal(number)
            votes = {governance.name_of(index): vote.words for index, vote in governance.votes(number).items()}
            return _facts(governance, found) | {"votes": votes, "know": PUBLIC}
        proposals = {f"proposal_{found.number}": _facts(governance, found) for found in governance.proposals()}
        return {
            "governor": str(governance.governor.address),
            "electors": electors,
            "owned_by_the_governor": ", ".join(proved(client, known)),
            "numbers": governance.numbers(client.head_timestamp),
            "working_keys": _told(working_keys(client, known)),
            **proposals,
        }


def _guardian(signers: Signers, known: Deployment, name: str) -> str:
    """Address of a guardian's key. Raises InputError for a name that nobody has, before anything is handed over."""
    from transactive.chain.keys.roles import ROLES
    from transactive.chain.keys.signers import FolderSigners

    if name in known.accounts:
        return str(signers.account(name).address)
    if name in ROLES or isinstance(signers, FolderSigners):  # a folder refuses what is not in it
        return str(signers.named(name).address)
    raise InputError(
        f"--guardian {name}: nobody has this name; give {', '.join(ROLES)}, or one of {', '.join(known.accounts)}"
    )


def _member(governance: Governance, signers: Signers, account: str) -> LocalAccount:
    """Key of a member's account. Raises InputError for a name that the deployment has not."""
    governance.index_of(account)
    return signers.account(account)


def _send(governance: Governance, key: LocalAccount, function: str, *arguments: Any) -> int:  # noqa: ANN401
    """Send one call of the governor; gas. Raises ContractRevert with its reason."""
    client = governance.client
    client.send(key, governance.governor, function, *arguments)
    return client.block(time_of_step(client)).receipts[-1].gas_used


def _told(keys: Sequence[WorkingKey]) -> Facts:
    """Keys that work, by office."""
    return {f"{key.office} {key.address}": key.can for key in keys}


def _facts(governance: Governance, found: Proposal) -> Facts:
    """How a proposal stands."""
    return {
        "proposal": found.number,
        "by": found.by,
        "kind": found.kind,
        "does": "; ".join(governance.in_words(action) for action in found.actions),
        "document": found.document.hex() if any(found.document) else None,
        "stage": found.stage,
        "seconded": f"{found.seconded} of {found.needed}",
        "yes": found.yes,
        "no": found.no,
        "electorate": found.electorate,
        "ends": time_text(found.ends),
        "can_be_executed_from": time_text(found.due) if found.passed else None,
    }
