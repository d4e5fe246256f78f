"""`transactive clear`: anyone's order file in; allocation, trades and a picture out."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.cli.clear.report import Outputs, files_of, write_all
from transactive.core.errors import InputError
from transactive.studies.order_books.clearing import clear_book, mechanism_for
from transactive.studies.order_books.figures import in_words


def run_clear(
    path: Path,
    *,
    mechanism: str,
    allocation: Path,
    trades: Path | None,
    svg: Path | None,
    json: bool,
    network: Path | None = None,
) -> None:
    """Clear an order file and write the results, all of them or none; figures go to stdout.

    Raises DataError naming file, row and column of the first bad row, ConfigError for an unknown mechanism and
    InputError for options that do not go together and a file that cannot be written.
    """
    outputs = Outputs(allocation, trades, svg)
    mechanism_for(mechanism, network=network)
    if trades and network:
        raise InputError("-t: on a network buyer and seller have prices of their own; leave -t out")
    if len({*outputs.paths, path}) <= len(outputs.paths):
        raise InputError("two of the files have one name; give each its own")
    book = clear_book(path, mechanism, network)
    write_all(files_of(book, outputs))
    print(msgspec.json.encode(book.figures).decode() if json else in_words(book.figures))
