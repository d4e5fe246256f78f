"""What members are told of their own meters: kept of the newest day."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from transactive.insight.advice.insight import Insight
from transactive.store.database import Database
from transactive.store.schema import ADVICE
from transactive.store.sealing import seal
from transactive.store.slot_blocks import pack_texts


def save_advice(store: Database, at: int, advice: Sequence[Sequence[Insight]]) -> None:
    """Keep what each member is told at a time [Unix s], in place of what was told before."""
    texts = [msgspec.json.encode(list(insights)) for insights in advice]
    with store.transaction() as connection:
        connection.execute(sa.delete(ADVICE))
        connection.execute(sa.insert(ADVICE), [{"at": at, "block": pack_texts(texts)}])
        seal(connection, ADVICE)
