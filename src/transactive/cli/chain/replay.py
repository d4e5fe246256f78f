"""`transactive chain replay`: the journal of an embedded chain, run again."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from transactive.chain.nodes.urls import embedded_path, existing_path, is_embedded, shown
from transactive.core.errors import InputError


def run_replay(url: str, to: str | None) -> dict[str, Any]:
    """Replay the chain of an `embedded:` URL. Raises ChainError at a block that differs."""
    source = existing_path(url)
    if to is None:
        with tempfile.TemporaryDirectory(prefix="transactive-") as folder:
            return _replay_into(source, Path(folder) / "copy.sqlite") | {"kept": None}
    if not is_embedded(to):
        return _moved(source, to)
    target = Path(embedded_path(to))
    if target.exists():
        raise InputError(f"--to {to}: {target} is there already; name a new file")
    return _replay_into(source, target) | {"kept": str(target)}


def _replay_into(source: Path, target: Path) -> dict[str, Any]:
    """Make the copy and say what is in it. Nothing has the target's name before all blocks came out as they were."""
    from transactive.chain.embedded.chain import EmbeddedChain
    from transactive.chain.embedded.replay import replay

    partial = target.with_name(f".{target.name}.part")
    _drop(partial)
    try:
        with closing(EmbeddedChain(source)) as original, closing(replay(original, partial)) as copy:
            blocks = copy.index.blocks()
            sent = sum(len(copy.index.in_block(number)) for number, _, _ in blocks)
            facts = {"chain_id": copy.chain_id, "blocks": len(blocks), "transactions": sent}
            facts["head"] = copy.head.hash.hex()
        partial.rename(target)
    finally:
        _drop(partial)
    return facts


def _drop(database: Path) -> None:
    """Remove a database with its logs, where it is there."""
    for ending in ("", "-wal", "-shm"):
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)


def _moved(source: Path, url: str) -> dict[str, Any]:
    """Send all to a development node."""
    from transactive.chain.deployments.migration import migrate
    from transactive.chain.embedded.chain import EmbeddedChain

    with closing(EmbeddedChain(source)) as original:
        sent = migrate(original, url)
        return {"chain_id": original.chain_id, "blocks": original.head.block_number + 1, "transactions": sent} | {
            "moved_to": shown(url)
        }
