"""A statement's file held against a chain: what held, the first contradiction, and on what the answer rests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from transactive.core.errors import DataError, InputError
from transactive.insight.statements.statement import Statement, decode
from transactive.services.statements.anchored import GivenAnchor
from transactive.services.statements.checks.words import Contradiction, Passed
from transactive.services.statements.shares import shares_check
from transactive.services.statements.verification import verify
from transactive.services.statements.witnessed import GivenWitness
from transactive.store import Store, holds_state

Further: TypeAlias = Callable[[Statement, str], Iterable[Passed]]
OWN = "self-consistent, not independent: the chain is the operator's own"
ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What a check found. contradiction: None where everything held; basis: how independent the chain was, in words."""

    statement: Statement | None
    passed: tuple[Passed, ...]
    contradiction: str | None
    basis: str


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whom the reader trusts, known from elsewhere than the file: the settlement contract, its operator; addresses."""

    contract: str | None = None
    operator: str | None = None

    def __post_init__(self) -> None:
        for option, address in (("--contract", self.contract), ("--operator", self.operator)):
            if address is not None and not ADDRESS.fullmatch(address):
                raise InputError(f"{option} {address}: is no address; give 0x and 40 hexadecimal digits")

    def basis(self) -> str:
        """What an answer rests on, in words."""
        if self.contract is None:
            return "the contract's address came from the file itself; pin it with --contract"
        pinned = "contract and operator" if self.operator else "contract"
        return f"{pinned} as given by you"

    def contradiction(self, statement: Statement) -> str | None:
        """Where a statement names others than those who are trusted."""
        for what, wanted, stated in (
            ("settlement", self.contract, (statement.chain.settlement, statement.chain.whole)),
            ("operator", self.operator, (statement.chain.operator,)),
        ):
            known = [address.lower() for address in stated if address is not None]
            if wanted is not None and wanted.lower() not in known:
                return f"chain.{what} is {stated[0]}, not {wanted.lower()}, which you trust"
        return None


def check(
    data: bytes,
    name: str,
    url: str,
    held: Callable[[Passed], None] = lambda _: None,
    trusted: Trusted = Trusted(),
    further: Further = lambda _, __: (),
    anchor: GivenAnchor | GivenWitness | None = None,
) -> ChainCheck:
    """Check the bytes of a file called `name` against the chain at `url`; `held` sees each check as it holds.

    trusted: contract and operator that the file must name, before any chain is asked. further: what else is checked of
    a statement that holds so far, with the address of its account. anchor: of that chain on another one. Raises
    ChainError or StateError if the chain does not answer.
    """
    from transactive.chain.commitment_reader import ContractWitness
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.nodes.urls import existing_path, is_embedded

    own = is_embedded(url)
    if own:
        existing_path(url)
    basis = OWN if own else "compared with a node"
    try:
        statement = decode(data, name)
    except DataError as error:
        return ChainCheck(None, (), str(error), basis)
    basis += f"; {trusted.basis()}"
    if contradiction := trusted.contradiction(statement):
        return ChainCheck(statement, (), contradiction, basis)
    passed: list[Passed] = []
    with closing(ChainClient.open(url)) as client:
        witness = ContractWitness(client, statement.chain.settlement)
        if not witness.is_ours:
            basis += "; the settlement contract's code is not that of this program"
        try:
            if anchor:
                since = anchor.basis(statement, client)
                basis = basis.replace(OWN, since) if own else f"{basis}; {since}"
            more = (one for one in further(statement, witness.account(statement.member.place_on_chain)))
            for one in chain(verify(statement, witness), more):
                passed.append(one)
                held(one)
        except Contradiction as error:
            contradiction = str(error)
    return ChainCheck(statement, tuple(passed), contradiction, basis)


def check_file(
    path: Path,
    *,
    node: str | None,
    state: Path | None,
    held: Callable[[Passed], None] = lambda _: None,
    trusted: Trusted = Trusted(),
    community: Path | None = None,
    anchor: GivenAnchor | GivenWitness | None = None,
) -> ChainCheck:
    """Check a file against the chain of a node, or the one in a state folder, as `check` does.

    With the state of a run that shares by keys, its shares are divided again; community: its file, for what other files
    say of sharing. Raises InputError for both or neither of the two, and for a file that cannot be read.
    """
    from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED

    if (node is None) == (state is None):
        raise InputError("give either --node URL or --state DIR: whose chain shall be asked?")
    url = node if node is not None else f"{EMBEDDED}{state / CHAIN_FILE}" if state else ""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); correct the path") from None
    if state is None or not holds_state(state):
        return check(data, path.name, url, held, trusted, anchor=anchor)
    with closing(Store(state)) as store:
        divided: Further = lambda of, account: _shares(of, account, store, community)  # noqa: E731 - named for the line
        return check(data, path.name, url, held, trusted, divided, anchor)


def _shares(of: Statement, account: str, store: Store, community: Path | None) -> Iterator[Passed]:
    """The check of shares, where a run shares by keys."""
    passed = shares_check(of, store, account, community)
    if passed is not None:
        yield passed


def chain_of(store: Store, folder: Path) -> str:
    """URL of the chain that a run settled on: the node that it names, or the one in its folder."""
    from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED

    node: str | None = json.loads(store.setting("run") or "{}").get("node")
    return node or f"{EMBEDDED}{folder / CHAIN_FILE}"
