"""`transactive statement` and `verify`: one member's file, and whether it holds."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from transactive.core.errors import DataError, InputError
from transactive.core.slots import parse_time
from transactive.insight.statement import decode, encode
from transactive.insight.statement_table import as_csv

HTML = (".html", ".htm")


def write_statement(
    folder: Path, member: str, output: Path, *, first: str | None, end: str | None, node: str | None
) -> None:
    """Write a member's statement as JSON, as a page for people where the name ends in .html, or as a table in .csv."""
    from transactive.engine.statements import issuer

    with issuer(folder, node=node) as issue:
        statement = issue.issue(member, *(None if text is None else parse_time(text) for text in (first, end)))
    if output.suffix == ".csv":
        data = as_csv(statement).encode()
    elif output.suffix in HTML:
        from transactive.web.statement_file import statement_html

        data = statement_html(statement, output.with_suffix(".json").name).encode()
    else:
        data = encode(statement)
    partial = output.with_name(f".{output.name}.part")
    try:
        partial.write_bytes(data)
        partial.replace(output)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); choose another place") from None


def verify_statement(path: Path, *, node: str | None, state: Path | None, json: bool) -> bool:
    """Check a statement against a node, or against the chain in a state folder; says what held.

    Returns whether it holds; the first contradiction is named on stdout.
    """
    from transactive.chain.client import ChainClient
    from transactive.chain.urls import CHAIN_FILE, EMBEDDED, existing_path, is_embedded
    from transactive.chain.witness import ContractWitness
    from transactive.engine.verification import verify
    from transactive.engine.verification_words import Contradiction

    if (node is None) == (state is None):
        raise InputError("give either --node URL or --state DIR: whose chain shall be asked?")
    url = node if node is not None else f"{EMBEDDED}{state / CHAIN_FILE}" if state else ""
    if is_embedded(url):
        existing_path(url)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); correct the path") from None
    passed: list[dict[str, str]] = []
    contradiction = None
    try:
        statement = decode(data, path.name)
    except DataError as error:
        _conclude(str(error), passed, independent=not is_embedded(url), ours=True, json=json)
        return False
    with closing(ChainClient.open(url)) as client:
        witness = ContractWitness(client, statement.chain.settlement)
        try:
            for check in verify(statement, witness):
                passed.append({"check": check.name, "found": check.text})
                if not json:
                    print(f"✓ {check.name}: {check.text}", flush=True)
        except Contradiction as error:
            contradiction = str(error)
        independent = not is_embedded(url)
        ours = witness.is_ours
    _conclude(contradiction, passed, independent=independent, ours=ours, json=json)
    return contradiction is None


def _conclude(
    contradiction: str | None, passed: list[dict[str, str]], *, independent: bool, ours: bool, json: bool
) -> None:
    """Say how it ended and what that is worth."""
    worth = (
        "compared with a node" if independent else "self-consistent, not independent: the chain is the operator's own"
    )
    if not ours:
        worth += "; the settlement contract's code is not that of this program"
    if json:
        facts: dict[str, Any] = {"holds": contradiction is None, "contradiction": contradiction, "worth": worth}
        print(msgspec.json.encode(facts | {"checks": passed}).decode())
        return
    print(f"✗ {contradiction}" if contradiction else f"The statement holds ({worth}).")
    sys.stdout.flush()
