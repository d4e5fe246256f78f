"""The schema of a community file says what each key means."""

from __future__ import annotations

import msgspec
import pytest

from transactive.cli.community.actions import schema
from transactive.config.storage import with_storage
from transactive.core.community.community import Community
from transactive.texts.community_keys import KEYS

RECORDS = with_storage(msgspec.json.schema(Community))["$defs"]


@pytest.mark.parametrize("record", sorted(RECORDS.keys() | KEYS.keys()))
def test_every_key_is_described_and_none_is_unknown(record):
    assert KEYS[record].keys() == RECORDS[record]["properties"].keys()


def test_a_description_is_a_sentence_that_names_no_type():
    for record in KEYS.values():
        for text in record.values():
            assert text.endswith(".")
            assert text[0].isupper() or text[0] == "`"
            assert not {"int", "str", "bool", "float", "null"} & set(text.replace(".", " ").split())


def test_the_printed_schema_holds_the_descriptions():
    assert schema()["$defs"]["MarketRules"]["properties"]["slot_minutes"]["description"].startswith("Length of a slot")
