"""`transactive keys …`: keys of one's own, encrypted; and where a password comes from."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from transactive.cli.report import report
from transactive.core.errors import InputError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.keys.keystore import KeyFolder

PASSWORD = "TRANSACTIVE_PASSWORD"  # noqa: S105 - the name of a variable

HAND_OVER = (
    "hand each folder to who must hold it, and delete yours: roles protect the members only as far as other people have"
    " them; the holder moves password.txt to another place than the key"
)

keys = App(name="keys", help="Keys that sign on chain, in encrypted files.")

Flag = Annotated[bool, Parameter(negative="")]
Folder = Annotated[Path, Parameter(name="--keys")]


@keys.command
def new(
    *names: str,
    folder: Folder,
    community: Path | None = None,
    password_file: Path | None = None,
    light: Flag = False,
    json: Flag = False,
) -> None:
    """Make keys and encrypt them, each in a file of its own; those of a community each in a folder of its own.

    Named keys share a password: it is asked for twice, or read from --password-file or the variable
    TRANSACTIVE_PASSWORD. A community's get a folder and a new password each, to be handed to whoever must hold it.
    Example: transactive keys new --keys my-keys --community my-community/community.toml

    Parameters
    ----------
    names
        Names of the keys.
    folder
        Folder of the keys; it is made, and no key in it is ever replaced.
    community
        Make all keys that a community needs: owner, operator, arbiter, on-ramp, gateway and one for each account; tells
        who must hold which.
    password_file
        File whose first line is the password.
    light
        Weaker protection against guessing the password (4 MB instead of 256 MB a try): for tests.
    json
        Print names and addresses as one JSON object on stdout.
    """
    from transactive.chain.keys.keystore import LIGHT, STRONG, KeyFolder, all_keys, holder_of
    from transactive.config.community_file import load

    known = load(community) if community else None
    apart = all_keys(known.ids, len(known.groups)) if known else []
    if not names and not apart:
        raise InputError("no key is named; give names, or --community FILE for all that a community needs")
    made, cost = KeyFolder(folder), LIGHT if light else STRONG
    places = [folder / f"{name}.json" for name in (*names, *apart)] + [folder / name for name in apart]
    if taken := [place for place in places if place.exists()]:
        raise InputError(f"{taken[0]} is there already; a key is never replaced: give another folder")
    facts: dict[str, Any] = {}
    if names:
        password = read_password(password_file, twice=True)
        facts |= {name: made.create(name, password, cost) for name in names}
    for name in apart:
        address = made.create_apart(name, cost)
        facts[name] = {"address": address, "folder": str(folder / name), "held_by": holder_of(name)}
    report(facts, json=json)
    if apart:
        print(HAND_OVER, file=sys.stderr)
    print(f"keep a copy of {folder} and its passwords in two places: neither can be recovered", file=sys.stderr)


@keys.command(name="list")
def list_keys(*, folder: Folder, json: Flag = False) -> None:
    """List names and addresses; no password is needed.

    Example: transactive keys list --keys my-keys

    Parameters
    ----------
    folder
        Folder of the keys.
    json
        Print them as one JSON object on stdout.
    """
    from transactive.chain.keys.keystore import KeyFolder

    report(KeyFolder(folder).addresses(), json=json)


@keys.command
def export(
    name: str,
    *,
    folder: Folder,
    public_key: Flag = False,
    keystore: Flag = False,
    private_key: Flag = False,
    password_file: Path | None = None,
    json: Flag = False,
) -> None:
    """Print the address of a key, or with one of the flags something else of it.

    Example: transactive keys export operator --keys my-keys --keystore

    Parameters
    ----------
    name
        Name of the key.
    folder
        Folder of the keys.
    public_key
        Print the public key, 64 bytes; needs the password.
    keystore
        Print the encrypted file, as wallets import it.
    private_key
        Print the private key, not encrypted: whoever sees it owns the account; needs the password.
    password_file
        File whose first line is the password.
    json
        Print one JSON object on stdout.
    """
    from transactive.chain.keys.keystore import KeyFolder

    if public_key + keystore + private_key > 1:
        raise InputError("--public-key, --keystore and --private-key exclude each other; give one")
    chosen = KeyFolder(folder)
    if keystore:
        report(chosen.stored(name), json=True)
        return
    facts = {"name": name, "address": chosen.address(name)}
    if public_key:
        facts["public_key"] = _public_key(_key(chosen, name, password_file))
    if private_key:
        print("the private key follows: whoever sees it owns the account", file=sys.stderr)
        facts["private_key"] = "0x" + _key(chosen, name, password_file).key.hex().removeprefix("0x")
    report(facts, json=json)


def _key(folder: KeyFolder, name: str, password_file: Path | None) -> LocalAccount:
    """Key of a name, with the password beside it or the one that is given."""
    return folder.unlocked(name, lambda: read_password(password_file))


def _public_key(key: LocalAccount) -> str:
    from coincurve import PublicKey

    uncompressed: bytes = PublicKey.from_valid_secret(bytes(key.key)).format(compressed=False)
    return "0x" + uncompressed[1:].hex()


def read_password(file: Path | None, *, twice: bool = False) -> str:
    """Password from a file, from the environment or from the terminal. Raises InputError if there is none of them."""
    if file is not None:
        try:
            return file.read_text().partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--password-file {file}: cannot be read ({error})") from None
    if PASSWORD in os.environ:
        return os.environ[PASSWORD]
    if not sys.stdin.isatty():
        raise InputError(f"no password; give --password-file FILE, set {PASSWORD}, or run on a terminal")
    password = getpass.getpass("password of the keys: ", sys.stderr)
    if twice and getpass.getpass("the same again: ", sys.stderr) != password:
        raise InputError("the two passwords differ; nothing was made")
    return password
