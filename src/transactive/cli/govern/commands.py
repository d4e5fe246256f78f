# ruff: noqa: D417 - `where` is flattened: its fields have help of their own
"""`transactive govern …`: what members do. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from transactive.cli.report import report
from transactive.cli.signing_options import ChainOptions

govern = App(name="govern", help="Members decide, one member one vote: rules, offices, and how they decide.")


@govern.command
def propose(
    *,
    account: str,
    kind: str = "ordinary",
    sets: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    calls: Annotated[list[str] | None, Parameter(name="--call", negative="")] = None,
    since: str | None = None,
    document: Path | None = None,
    where: ChainOptions,
) -> None:
    """Propose: the vote begins when enough other members second it.

    Example: transactive govern propose --account ada --set network-fee=28000 --since 2027-02-01T00:00Z
    --node http://127.0.0.1:8545

    Parameters
    ----------
    account
        Member that proposes.
    kind
        ordinary for numbers of the rules, basic for everything else. Elections of persons are held elsewhere.
    sets
        Number of the rules that changes, NAME=VALUE; may be given several times.
    calls
        Call of a contract of the deployment, 'CONTRACT FUNCTION VALUES', as 'settlement offerOperator 0x…'; basic.
    since
        Start of the first slot in which the numbers hold, RFC 3339.
    document
        File that members read, with the consequences: its SHA-256 is part of what is voted on.
    """
    from transactive.cli.govern.actions import run_propose

    report(run_propose(where, account, kind, sets or [], calls or [], since, document), json=where.json)


@govern.command
def second(
    number: int,
    *,
    account: str,
    where: ChainOptions,
) -> None:
    """Second a proposal: ask that it is voted on.

    Example: transactive govern second 0 --account ben --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of the proposal, as `govern show` lists it.
    account
        Member that does it.
    """
    from transactive.cli.govern.actions import run_second

    report(run_second(where, number, account), json=where.json)


@govern.command
def vote(
    number: int,
    answer: Literal["yes", "no", "abstain"],
    *,
    account: str,
    on_behalf: Annotated[str | None, Parameter(name="--for")] = None,
    sign: Path | None = None,
    turn: int = 1,
    where: ChainOptions,
) -> None:
    """Vote, by a transaction, or with --sign by a ballot that costs you nothing and that anybody brings.

    Votes are public by index for ever. Example: transactive govern vote 0 yes --account ada --sign ada.json
    --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of the proposal, as `govern show` lists it.
    answer
        yes, no or abstain; vote again to change it.
    account
        Member that votes.
    on_behalf
        Member that made --account its proxy: vote for that one.
    sign
        New file for a signed ballot; nothing is sent. `govern tally` brings it.
    turn
        Turn of a signed ballot, 1 to 62: a later one replaces an earlier one.
    """
    from transactive.cli.govern.actions import run_vote

    report(
        run_vote(where, number, answer, account, on_behalf, sign, turn),
        json=where.json,
    )


@govern.command
def proxy(
    *,
    account: str,
    to: str | None = None,
    where: ChainOptions,
) -> None:
    """Let another member vote for you while you do not; without --to, end that.

    Nobody votes for more than two others.
    Example: transactive govern proxy --account ada --to ben --node http://127.0.0.1:8545

    Parameters
    ----------
    account
        Member that does it.
    to
        Member that votes for you.
    """
    from transactive.cli.govern.actions import run_proxy

    report(run_proxy(where, account, to), json=where.json)


@govern.command
def tally(
    number: int,
    *ballots: Path,
    by: Annotated[str, Parameter(name="--as")] = "operator",
    state: Path | None = None,
    where: ChainOptions,
) -> None:
    """Bring signed ballots to a proposal, a hundred a transaction; what cannot count is told and left out.

    Example: transactive govern tally 0 ada.json ben.json --node http://127.0.0.1:8545

    Parameters
    ----------
    number
        Number of the proposal, as `govern show` lists it.
    ballots
        Files that `govern vote --sign` wrote.
    by
        Name of the key that sends: anybody may.
    state
        Folder of the run on whose page members signed, for the ballots that wait there.
    """
    from transactive.cli.govern.actions import run_tally

    report(run_tally(where, number, ballots, by, state), json=where.json)
