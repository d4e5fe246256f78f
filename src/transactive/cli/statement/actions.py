"""`transactive statement` and `verify`: one member's file, and whether it holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from transactive.cli.progress import tell
from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.insight.statements.statement import Statement, encode
from transactive.insight.statements.table import as_csv
from transactive.texts.formatting import Words, counted

if TYPE_CHECKING:
    from transactive.services.statements.checks.words import Passed
    from transactive.services.statements.issue import Issuer

HTML = (".html", ".htm")
ENDINGS = (*HTML, ".csv", ".json", ".pdf", ".zip", "")


def write_statement(
    folder: Path,
    member: str | None,
    output: Path,
    *,
    asked: tuple[str | None, str | None, str | None],
    node: str | None,
) -> None:
    """Write a member's statement as JSON, PDF, page or table, by the name's ending; those of all into a .zip.

    asked: first slot, end, and a month in place of both.
    """
    from transactive.services.statements.issue import issuer

    if output.suffix not in ENDINGS:
        raise InputError(f"{output}: a statement is .json, .pdf, .html or .csv, and those of all are .zip. Choose one")
    if (member is None) != (output.suffix == ".zip"):
        raise InputError(
            "--member: name one for a single statement, or none for all members and let --output end in .zip"
        )
    with issuer(folder, node=node) as issue:
        span = _span(issue, *asked)
        if member is None:
            from transactive.services.papers.batch import write_all

            with writing(output):
                members, slots = write_all(issue, output, lambda done, of: tell(f"{done * 100 // of} %"), *span)
            tell("")
            print(f"{output}: {counted(members, 'member')}, {counted(slots, 'slot')} each")
            return
        words = Words(issue.community.currency, issue.community.zone)
        data = _content(issue.issue(member, *span), output, words)
    partial = output.with_name(f".{output.name}.part")
    with writing(output):
        partial.write_bytes(data)
        partial.replace(output)


def _span(issue: Issuer, first: str | None, end: str | None, month: str | None) -> tuple[int | None, int | None]:
    """First slot and end that somebody asks for [Unix s]. Raises InputError."""
    if month is None:
        begin, until = (None if text is None else parse_time(text) for text in (first, end))
        return begin, until
    if first is not None or end is not None:
        raise InputError("--month: stands in place of --from and --to; leave those out")
    from transactive.services.papers.batch import month_of

    return month_of(issue, month)


def _content(statement: Statement, output: Path, words: Words) -> bytes:
    """A statement as a file with such a name."""
    file = output.with_suffix(".json").name
    if output.suffix == ".csv":
        return as_csv(statement, words.zone).encode()
    if output.suffix == ".pdf":
        from transactive.services.papers.pdf import statement_pdf

        return statement_pdf(statement, file, words)
    if output.suffix in HTML:
        from transactive.web.papers.statement_file import statement_html

        return statement_html(statement, file, words).encode()
    return encode(statement)


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """Turn what a disk refuses into InputError."""
    try:
        yield
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
    anchor: tuple[Path | None, str | None],
    witness: tuple[Path | None, str | None],
    json: bool,
) -> bool:
    """Check a statement against a node, or against the chain in a state folder; says what held.

    anchor, witness: its file, and the node of the chain that it is on. Returns whether it holds; the first
    contradiction is named on stdout. Raises InputError for one of both without the other.
    """
    from transactive.services.statements.anchored import GivenAnchor
    from transactive.services.statements.chain_check import Trusted, check_file
    from transactive.services.statements.witnessed import GivenWitness

    file, there = anchor
    if (file is None) != (there is None):
        raise InputError("--anchor and --anchor-node go together: the file, and the node of the chain that notes it")
    given: GivenAnchor | GivenWitness | None = GivenAnchor(file, there) if file and there else None
    file, there = witness
    if (file is None) != (there is None):
        raise InputError("--witness and --witness-node go together: the file, and a node of the chain of the witness")
    if file and there:
        if given:
            raise InputError("--witness and --anchor are two ways to show the same; give one of them")
        given = GivenWitness(file, there)

    def say(passed: Passed) -> None:
        if not json:
            print(f"✓ {passed.name}: {passed.text}", flush=True)

    trusted = Trusted(contract, operator)
    found = check_file(path, node=node, state=state, held=say, trusted=trusted, community=community, anchor=given)
    if json:
        checks = [{"check": passed.name, "found": passed.text} for passed in found.passed]
        facts: dict[str, Any] = {"holds": found.contradiction is None, "contradiction": found.contradiction}
        print(msgspec.json.encode(facts | {"worth": found.basis, "checks": checks}).decode())
    else:
        print(f"✗ {found.contradiction}" if found.contradiction else f"The statement holds ({found.basis}).")
    sys.stdout.flush()
    return found.contradiction is None
