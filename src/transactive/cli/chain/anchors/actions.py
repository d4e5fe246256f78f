"""What `transactive chain anchor` does."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from transactive.core.errors import InputError
from transactive.core.proofs.anchors import ChainHead
from transactive.core.proofs.signed_orders import ADDRESS

if TYPE_CHECKING:
    from transactive.chain.anchoring import AnchorFile


def run_anchor(
    states: Sequence[Path],
    *,
    node: str,
    contract: str | None,
    output: Path,
    by: str,
    keys: Path | None,
    password_file: Path | None,
    seed: str,
) -> dict[str, Any]:
    """Note the newest block of each state's chain. Raises InputError, StateError, ChainError."""
    from eth_utils.address import to_checksum_address

    from transactive.chain.anchoring import anchor
    from transactive.chain.nodes.client import ChainClient
    from transactive.cli.chain.challenge import key_of
    from transactive.cli.chain.signing import refuse_a_run, time_of_step

    if not states:
        raise InputError("name the state folder of a run, or of several, whose chains shall be anchored")
    if contract is not None and not ADDRESS.fullmatch(contract):
        raise InputError(f"--contract {contract}: is no address; give 0x and 40 hexadecimal digits")
    names = [state.resolve().name for state in states]
    if len(set(names)) != len(names):
        raise InputError("two state folders have the same name; anchor them one after the other")
    places = [output / f"{name}.anchor.json" for name in names]
    for place in places:
        if place.exists():
            raise InputError(f"{place}: shows since when an earlier block is known; keep it, and name another --output")
    refuse_a_run(node)
    heads = [_head(state) for state in states]
    with closing(ChainClient.open(node)) as client:
        key = key_of(client, by, keys, password_file, seed)
        if contract is None:
            there = client.deploy(key, "anchors")
        else:
            there = client.contract("anchors", to_checksum_address(contract))
        files = anchor(client, key, there, heads)
        with _written(places, files):
            receipt = client.block(time_of_step(client)).receipts[-1]
        written = [str(place) for place in places]
        facts = {"contract": str(there.address), "root": "0x" + files[0].root.hex(), "block": receipt.block}
        return facts | {"gas": receipt.gas_used, "heads": [head.number for head in heads], "written": written}


def _head(state: Path) -> ChainHead:
    """Newest block of the chain in a state folder. Raises InputError for a run that settled elsewhere, or nowhere."""
    from transactive.chain.anchoring import newest_head
    from transactive.chain.deployments.deployment import FILE, load
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED

    if not (state / CHAIN_FILE).is_file():
        raise InputError(f"{state}: has no chain of its own; give the state folder of a run that settles on one")
    with closing(ChainClient.open(f"{EMBEDDED}{state / CHAIN_FILE}")) as client:
        settlement = load(state / FILE).address("settlement")
        return newest_head(client, settlement, secrets.token_bytes(32))


@contextmanager
def _written(places: Sequence[Path], files: Sequence[AnchorFile]) -> Iterator[None]:
    """Have files on disk before their root is noted, as nothing else has the salts; give them their names after it."""
    made = {place: place.with_name(f".{place.name}.part") for place in places}
    try:
        for (place, partial), file in zip(made.items(), files, strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(msgspec.json.format(msgspec.json.encode(file)) + b"\n")
    except OSError as error:
        raise InputError(f"{place}: {error.strerror}; give a folder that can be written") from None
    yield
    for place, partial in made.items():
        partial.replace(place)
