"""`transactive.verify`: whether a member's statement holds."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from transactive.face.frames import Frame, Library, giving, table
from transactive.face.spoken import spoken
from transactive.services.statements.chain_check import Trusted, check_file


@dataclass(frozen=True, eq=False, repr=False)
class VerifiedStatement:
    """Whether a statement holds; it counts as true if it does, and printed it says so.

    holds: whether all checks held. contradiction: the first that did not, in words. basis: how independent the chain
    was that was asked. checks: a row for each that held: check, found.
    """

    holds: bool
    contradiction: str | None
    basis: str
    checks: Frame

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        if self.holds:
            return f"The statement holds ({self.basis})."
        return f"The statement does not hold: {self.contradiction}"


@spoken
def verify(
    statement: str | PathLike[str],
    *,
    node: str | None = None,
    state: str | PathLike[str] | None = None,
    contract: str | None = None,
    operator: str | None = None,
    frames: Library = "polars",
) -> VerifiedStatement:
    """Check a statement: everything in it is computed again and compared with a chain.

    Examples
    --------
    >>> import transactive as ta
    >>> from transactive.core.errors import InputError
    >>> try:
    ...     ta.verify("statement.json", state="my-state")
    ... except InputError as error:
    ...     print(error)
    statement.json: cannot be read (No such file or directory); correct the path

    Parameters
    ----------
    statement
        File that `transactive statement` wrote.
    node
        Node to ask: http(s)://, ws(s):// or ipc:PATH.
    state
        State folder whose embedded chain is asked: shows that the file agrees with it, not that the chain is honest.
    contract
        Address of the settlement contract that you trust; without it the one in the file is taken.
    operator
        Address of the operator that you trust.
    frames
        Library of the table of checks, polars or pandas.

    Returns
    -------
    VerifiedStatement
        Whether it holds, the first contradiction, and what held.

    Raises
    ------
    InputError
        For both or neither of node and state, and a file that cannot be read.
    ChainError
        If the node does not answer.
    """
    give = giving(frames)
    trusted = Trusted(contract, operator)
    folder = None if state is None else Path(state)
    found = check_file(Path(statement), node=node, state=folder, trusted=trusted)
    checks = table({"check": [one.name for one in found.passed], "found": [one.text for one in found.passed]})
    return VerifiedStatement(found.contradiction is None, found.contradiction, found.basis, give(checks))
