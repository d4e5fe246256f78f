"""Files of signed ballots: written by members, read by whoever brings them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from transactive.core.community.validation import explained
from transactive.core.errors import InputError, SignatureError
from transactive.core.governance.ballots import Ballot, SignedBallot
from transactive.store.folder import write_new


class BallotFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed ballot. content, signature: hexadecimal; chain_id, governor: where it counts."""

    chain_id: int
    governor: str
    proposal: int
    content: str
    index: int
    support: int
    turn: int
    signature: str


def write_ballot(path: Path, signed: SignedBallot, chain_id: int, governor: str) -> None:
    """Write a new file, whole or not at all. Raises InputError if there is one."""
    ballot = signed.ballot
    made = BallotFile(
        chain_id=chain_id, governor=governor, proposal=ballot.proposal, content=ballot.content.hex(),
        index=ballot.index, support=ballot.support, turn=ballot.turn, signature=signed.signature.hex(),
    )  # fmt: skip
    try:
        if not write_new(path, msgspec.json.format(msgspec.json.encode(made)) + b"\n"):
            raise InputError(f"--sign {path}: is there already; give another file, and a later --turn to change a vote")
    except OSError as error:
        raise InputError(f"--sign {path}: {error.strerror}; give a file in a folder that can be written") from error


def read_ballots(
    files: Sequence[Path], proposal: int, content: bytes, where: tuple[int, str], holder: Callable[[int], str]
) -> tuple[list[SignedBallot], list[str]]:
    """Ballots that count for a proposal, the latest turn of each member, in the order of their members; and the others.

    holder: address of a member's account by its index. Raises InputError for a file that is no ballot.
    """
    latest: dict[int, SignedBallot] = {}
    left_out = []
    for file in files:
        found = _read(file)
        ballot = Ballot(found.proposal, bytes.fromhex(found.content), found.index, found.support, found.turn)
        signed = SignedBallot(ballot, bytes.fromhex(found.signature))
        if (found.chain_id, found.governor.lower()) != (where[0], where[1].lower()):
            left_out.append(f"{file.name} is for another chain or governor")
        elif (ballot.proposal, ballot.content) != (proposal, content):
            left_out.append(f"{file.name} is for another proposal")
        elif not _is_signed(signed, where, holder(ballot.index)):
            left_out.append(f"{file.name} is not signed by its member")
        elif ballot.index in latest and latest[ballot.index].ballot.turn >= ballot.turn:
            left_out.append(f"{file.name} is older than another of its member")
        else:
            latest[ballot.index] = signed
    return [latest[index] for index in sorted(latest)], left_out


def _is_signed(signed: SignedBallot, where: tuple[int, str], holder: str) -> bool:
    """Whether a member's account signed."""
    try:
        return signed.signer(*where) == holder.lower()
    except SignatureError:
        return False


def _read(file: Path) -> BallotFile:
    """A file that `write_ballot` wrote. Raises InputError."""
    try:
        found = msgspec.json.decode(file.read_bytes(), type=BallotFile)
        bytes.fromhex(found.content + found.signature)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); `govern vote --sign` writes ballots") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{file}: {explained(str(error), BallotFile)}; `govern vote --sign` writes ballots") from None
    except ValueError:
        raise InputError(
            f"{file}: content or signature is not hexadecimal; `govern vote --sign` writes ballots"
        ) from None
    return found
