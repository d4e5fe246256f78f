"""`transactive statement` and `verify`: one member's file, and whether it holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.insight.statements.statement import encode
from transactive.insight.statements.table import as_csv
from transactive.texts.formatting import Words

if TYPE_CHECKING:
    from transactive.services.statements.verification_words import Passed

HTML = (".html", ".htm")


def write_statement(
    folder: Path, member: str, output: Path, *, first: str | None, end: str | None, node: str | None
) -> None:
    """Write a member's statement as JSON, as a page for people where the name ends in .html, or as a table in .csv."""
    from transactive.services.statements.issue import issuer

    if output.suffix not in (*HTML, ".csv", ".json", ""):
        raise InputError(
            f"{output}: a statement is .json, .html or .csv; a browser prints an HTML page as PDF. Choose one"
        )
    with issuer(folder, node=node) as issue:
        words = Words(issue.community.currency, issue.community.zone)
        statement = issue.issue(member, *(None if text is None else parse_time(text) for text in (first, end)))
    if output.suffix == ".csv":
        data = as_csv(statement, words.zone).encode()
    elif output.suffix in HTML:
        from transactive.web.pages.statement_file import statement_html

        data = statement_html(statement, output.with_suffix(".json").name, words).encode()
    else:
        data = encode(statement)
    partial = output.with_name(f".{output.name}.part")
    try:
        partial.write_bytes(data)
        partial.replace(output)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); choose another place") from None


def verify_statement(
    path: Path,
    *,
    node: str | None,
    state: Path | None,
    contract: str | None,
    operator: str | None,
    community: Path | None,
    json: bool,
) -> bool:
    """Check a statement against a node, or against the chain in a state folder; says what held.

    Returns whether it holds; the first contradiction is named on stdout.
    """
    from transactive.services.statements.chain_check import Trusted, check_file

    def say(passed: Passed) -> None:
        if not json:
            print(f"✓ {passed.name}: {passed.text}", flush=True)

    found = check_file(path, node=node, state=state, held=say, trusted=Trusted(contract, operator), community=community)
    if json:
        checks = [{"check": passed.name, "found": passed.text} for passed in found.passed]
        facts: dict[str, Any] = {"holds": found.contradiction is None, "contradiction": found.contradiction}
        print(msgspec.json.encode(facts | {"worth": found.basis, "checks": checks}).decode())
    else:
        print(f"✗ {found.contradiction}" if found.contradiction else f"The statement holds ({found.basis}).")
    sys.stdout.flush()
    return found.contradiction is None
