"""What `transactive chain witness` and `chain freeze` do."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from transactive.core.errors import InputError
from transactive.core.proofs.signed_orders import ADDRESS

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.nodes.client import ChainClient


@dataclass(frozen=True, slots=True)
class WitnessKeys:
    """Names of keys, and where they are."""

    names: tuple[str, ...]
    folder: Path | None
    password_file: Path | None
    seed: str

    def unlocked(self, client: ChainClient) -> list[LocalAccount]:
        """The keys. Raises InputError."""
        from transactive.cli.chain.challenge import key_of

        return [key_of(client, name, self.folder, self.password_file, self.seed) for name in self.names]


def run_witness(
    state: Path, node: str, signers: WitnessKeys, *, contract: str | None, governor: str | None, output: Path
) -> dict[str, Any]:
    """Sign, note and prove. Raises InputError, StateError, ChainError."""
    from eth_utils.address import to_checksum_address

    from transactive.chain.artifact import artifact
    from transactive.chain.deployments.deployment import FILE, load
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED
    from transactive.chain.witnessing import WitnessFile, note, prove, sign_block
    from transactive.cli.chain.signing import refuse_a_run, time_of_step

    for name, given in (("--contract", contract), ("--governor", governor)):
        if given is not None and not ADDRESS.fullmatch(given):
            raise InputError(f"{name} {given}: is no address; give 0x and 40 hexadecimal digits")
    if output.exists():
        raise InputError(f"{output}: holds what was signed of an earlier block; keep it, and name another --output")
    if not (state / CHAIN_FILE).is_file():
        raise InputError(f"{state}: has no chain of its own; give the state folder of a run that settles on one")
    refuse_a_run(node)
    settlement = load(state / FILE).address("settlement")
    with closing(ChainClient.open(f"{EMBEDDED}{state / CHAIN_FILE}")) as here, closing(ChainClient.open(node)) as there:
        period = int(here.read(here.contract("settlement", settlement), "latestPeriod"))
        keys = signers.unlocked(there)
        if contract is None:
            place = artifact("settlement").storage["heads"]
            named = to_checksum_address(governor) if governor else keys[0].address
            made = there.deploy(keys[0], "witness", named, [key.address for key in keys], len(keys), place)
            there.block(time_of_step(there))
        else:
            made = there.contract("witness", to_checksum_address(contract))
        block = sign_block(there, made, (here.chain_id, here.height, here.head_hash), keys)
        file = WitnessFile(
            chain_id=there.chain_id, contract=str(made.address), settlement=settlement, period=period, block=block
        )
        try:
            output.write_bytes(msgspec.json.format(msgspec.json.encode(file)) + b"\n")
        except OSError as error:
            raise InputError(f"{output}: cannot be written ({error.strerror}); choose another place") from None
        note(there, keys[0], made, block)
        there.block(time_of_step(there))
        prove(here, there, keys[0], made, file)
        receipt = there.block(time_of_step(there)).receipts[-1]
    facts = {"contract": file.contract, "settlement": settlement, "period": period, "of_block": block.number}
    return facts | {"block": receipt.block, "gas": receipt.gas_used, "written": str(output)}


def run_freeze(one: Path, other: Path, node: str, by: WitnessKeys) -> dict[str, Any]:
    """Show two signatures. Raises InputError for files that show nothing."""
    from transactive.chain.nodes.client import ChainClient
    from transactive.chain.witnessing import freeze, load_witness
    from transactive.cli.chain.signing import refuse_a_run, time_of_step

    refuse_a_run(node)
    first, second = load_witness(one), load_witness(other)
    if (first.chain_id, first.contract) != (second.chain_id, second.contract):
        raise InputError(f"{other}: is of another witness than {one}; give two of one")
    with closing(ChainClient.open(node)) as there:
        (key,) = by.unlocked(there)
        signer = freeze(there, key, there.contract("witness", first.contract), first.block, second.block)
        receipt = there.block(time_of_step(there)).receipts[-1]
    return {"signer": signer, "block": receipt.block, "gas": receipt.gas_used}
