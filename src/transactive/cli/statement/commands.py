"""`transactive statement` and `transactive verify`, for a member and for whoever wants to check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def statement(
    *,
    state: Path,
    member: str | None = None,
    output: Annotated[Path, Parameter(alias="-o")],
    first: Annotated[str | None, Parameter(name="--from")] = None,
    end: Annotated[str | None, Parameter(name="--to")] = None,
    month: str | None = None,
    node: str | None = None,
) -> None:
    """Write a member's statement, or those of all: energy, money, carbon and certificates of every slot, with proofs.

    Parameters
    ----------
    state
        State folder of a run or a demo.
    member
        Whose statement; without it all members' papers go into a .zip.
    output
        File to write: canonical JSON that `verify` takes; a paper of two pages with an annex where it ends in .pdf, a
        page in .html, a table of the slots in .csv; all three but the page, of every member, in .zip.
    first
        First slot, UTC; without it the run's first.
    end
        End, UTC; without it the end of the last slot that was settled, also while the run goes on.
    month
        Local month in place of both, like 2026-05: what is settled of it.
    node
        Where the run settled, if not on the chain in its state folder.
    """
    from transactive.cli.statement.actions import write_statement

    write_statement(state, member, output, asked=(first, end, month), node=node)


def verify(
    file: Path,
    *,
    node: str | None = None,
    state: Path | None = None,
    contract: str | None = None,
    operator: str | None = None,
    community: Path | None = None,
    anchor: Path | None = None,
    anchor_node: str | None = None,
    witness: Path | None = None,
    witness_node: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Check a statement: everything in it is computed again and compared with the chain.

    Exits with 0 if it holds and with 1 at the first contradiction, which is named.

    Parameters
    ----------
    file
        Statement, as `statement` wrote it.
    node
        Node to ask: http(s)://, ws(s):// or ipc:PATH.
    state
        State folder whose embedded chain is asked: shows that the file agrees with it, not that the chain is honest.
    contract
        Address of the settlement contract that you trust, as your community told you on another way than this file;
        without it the address in the file is taken, and the answer says so.
    operator
        Address of the operator that you trust.
    community
        Community file, with --state: shares by the hour, a distributor's report and an incentive stand in files that
        it names, and are divided again.
    anchor
        File of an anchor, as `chain anchor` wrote it: the answer says since when another chain has known this one.
    anchor_node
        Node of that other chain.
    witness
        File of a witness, as `chain witness` wrote it: the answer says in which block its signers and another chain
        know this one.
    witness_node
        Node of the chain of the witness.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.statement.actions import verify_statement

    if not verify_statement(
        file,
        node=node,
        state=state,
        contract=contract,
        operator=operator,
        community=community,
        anchor=(anchor, anchor_node),
        witness=(witness, witness_node),
        json=json,
    ):
        sys.exit(1)
