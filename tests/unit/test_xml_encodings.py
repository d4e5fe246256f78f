"""XML in an encoding that there is not: each reader says so in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from transactive.core.errors import DataError
from transactive.environment.feeds.entsoe import read_entsoe
from transactive.metering.exports.messages import green_button, sdat
from transactive.services.bills.camt import read_statement

READERS: dict[str, Callable[[Path], object]] = {
    "bank statement": read_statement,
    "Green Button": green_button.read,
    "SDAT-CH": sdat.read,
    "prices": lambda path: read_entsoe(path.read_bytes(), "EUR/MWh"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("encoding", ["shift_jis", "utf-7", "none", "rot13", "hex", "utf-16"])
def test_an_encoding_that_there_is_not_is_told(tmp_path, reader, encoding):
    path = tmp_path / "message.xml"
    path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?><Document/>'.encode())
    with pytest.raises(DataError, match="XML"):
        READERS[reader](path)
