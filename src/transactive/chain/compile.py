"""Recompile the contracts and write their artifacts: `python -m transactive.chain.compile`. Development only."""

from __future__ import annotations

import sys
from hashlib import sha256
from importlib.resources import as_file, files

import msgspec

from transactive.chain.artifact import CONTRACTS, Artifact, source

EVM_VERSION = "cancun"


def compiled(name: str) -> bytes:
    """Artifact of a contract as it is stored: JSON, the same bytes on every machine."""
    import vyper
    from vyper.compiler.input_bundle import FilesystemInputBundle

    text = source(name)
    with as_file(files("transactive.chain") / "contracts") as folder:
        output = vyper.compile_code(
            text,
            output_formats=["abi", "bytecode", "bytecode_runtime"],
            contract_path=f"{name}.vy",
            input_bundle=FilesystemInputBundle([folder]),  # where shared modules are
        )
    made = Artifact(
        name=name,
        compiler=f"vyper {vyper.__version__}",
        evm_version=EVM_VERSION,
        source_sha256=sha256(text.encode()).hexdigest(),
        bytecode=output["bytecode"],
        runtime=output["bytecode_runtime"],
        abi=output["abi"],
    )
    return msgspec.json.format(msgspec.json.encode(made, order="sorted"), indent=1) + b"\n"


def main() -> None:
    """Write all artifacts into the package."""
    with as_file(files("transactive.chain") / "artifacts") as folder:
        for name in CONTRACTS:
            (folder / f"{name}.json").write_bytes(compiled(name))
            sys.stderr.write(f"{name}: written\n")


if __name__ == "__main__":
    main()
