"""Recompile the contracts and write their artifacts: `python -m transactive.chain.compile`. Development only."""

from __future__ import annotations

import sys
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path

import msgspec

from transactive.chain.artifact import CONTRACTS, PROVED, Artifact

EVM_VERSION = "cancun"


def compiled(name: str) -> bytes:
    """Artifact of a contract as it is stored: JSON, the same bytes on every machine."""
    with as_file(files("transactive.chain") / "contracts") as folder:
        made = compiled_in(folder, name)
    return msgspec.json.format(msgspec.json.encode(made, order="sorted"), indent=1) + b"\n"


def compiled_in(folder: Path, name: str) -> Artifact:
    """Contract of a folder of sources, with its modules."""
    import vyper
    from vyper.compiler.input_bundle import FilesystemInputBundle

    text = (folder / f"{name}.vy").read_text(encoding="utf-8")
    output = vyper.compile_code(
        text,
        output_formats=["abi", "bytecode", "bytecode_runtime", "layout"],
        contract_path=f"{name}.vy",
        input_bundle=FilesystemInputBundle([folder]),  # where shared modules are
    )
    return Artifact(
        name=name,
        compiler=f"vyper {vyper.__version__}",
        evm_version=EVM_VERSION,
        source_sha256=sha256(text.encode()).hexdigest(),
        bytecode=output["bytecode"],
        runtime=output["bytecode_runtime"],
        abi=output["abi"],
        storage={one: output["layout"]["storage_layout"][one]["slot"] for one in PROVED.get(name, ())},
    )


def main() -> None:
    """Write all artifacts into the package."""
    with as_file(files("transactive.chain") / "artifacts") as folder:
        for name in CONTRACTS:
            (folder / f"{name}.json").write_bytes(compiled(name))
            sys.stderr.write(f"{name}: written\n")


if __name__ == "__main__":
    main()
