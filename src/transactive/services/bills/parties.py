"""Who bills are from and to: names, addresses, accounts at banks, tax numbers, in a file of their own.

`parties.json` in the state folder is read by its owner alone. No statement, leaf or log says anything of it, and a
person in it can be erased. People write it as TOML (`transactive bill parties FILE`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from transactive.core.community.validation import explained
from transactive.core.errors import InputError, StateError
from transactive.store.folder import write_private

FILE = "parties.json"
Taxation = Literal["standard", "small_business", "reverse_charge"]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="a date, such as 2026-05-01")]
Text = Annotated[str, Meta(min_length=1, max_length=70)]


class PartyRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A party of a bill. country: two capital letters. vat_id, tax_number: of it as a taxable person.

    taxation: how what it sells is taxed, by its own VAT, as a small business, or by the recipient; an operator has to
    say it where the community file has VAT.
    """

    name: Text
    street: Text
    postcode: Annotated[str, Meta(min_length=1, max_length=16)]
    city: Annotated[str, Meta(min_length=1, max_length=35)]
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$", description="two capital letters, such as AT")]
    email: str | None = None
    iban: str | None = None
    vat_id: Annotated[str, Meta(pattern=r"^[A-Z]{2}[A-Z0-9]{2,13}$", description="such as ATU12345678")] | None = None
    tax_number: Annotated[str, Meta(min_length=3, max_length=30)] | None = None
    taxation: Taxation | None = None

    @property
    def sells_as(self) -> Taxation:
        """How what it sells is taxed; who says nothing is a small business, as most members are."""
        return self.taxation or "small_business"


class OperatorRecord(PartyRecord, frozen=True, kw_only=True):
    """The community's operator. creditor_id: of SEPA direct debits."""

    creditor_id: Annotated[str, Meta(pattern=r"^[A-Z]{2}\d{2}[A-Z0-9]{4,31}$", description="such as AT61…")] | None = (
        None
    )


class CustomerRecord(PartyRecord, frozen=True, kw_only=True):
    """A member as its bills need it.

    self_billing_since: the day it agreed to be given invoices for what it sells. mandate: for direct debits, with the
    day it was signed. buys_with_reverse_charge: VAT on what it buys is owed by itself.
    """

    self_billing_since: Day | None = None
    mandate: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+?/:().,' -]{1,35}$", description="35 signs at most")] | None = (
        None
    )
    mandate_signed: Day | None = None
    buys_with_reverse_charge: bool = False


class Parties(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The operator and the members that are on file, by id."""

    operator: OperatorRecord | None = None
    members: dict[str, CustomerRecord] = msgspec.field(default_factory=dict)


def read_parties(folder: Path) -> Parties:
    """Parties of a state folder; none if nobody was entered. Raises StateError for a damaged file."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Parties)
    except FileNotFoundError:
        return Parties()
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: {error}; restore a backup, or enter all parties anew") from None


def enter_parties(folder: Path, file: Path, members: Sequence[str]) -> list[str]:
    """Enter or replace the parties that a TOML file names; others stay. Returns who was entered.

    Raises InputError naming the key; then nothing is changed.
    """
    given = _given(file)
    _check(given, file.name, members)
    kept = read_parties(folder)
    together = Parties(operator=given.operator or kept.operator, members={**kept.members, **given.members})
    _write(folder, together)
    return [*(["operator"] if given.operator else []), *given.members]


def _given(file: Path) -> Parties:
    """Parties of a TOML file. Raises InputError naming the key."""
    place = ""
    record: type[msgspec.Struct] = Parties
    try:
        data = msgspec.toml.decode(file.read_bytes())
        members = data.get("members")
        for member in members if isinstance(members, dict) else ():  # one by one, as the message names no member
            place, record = f"members.{member}: ", CustomerRecord
            msgspec.convert(members[member], CustomerRecord)
        place, record = "", Parties
        return msgspec.convert(data, Parties)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); give a TOML file of parties") from None
    except msgspec.ValidationError as error:
        raise InputError(f"{file.name}: {place}{explained(str(error), record)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name}: is not TOML: {error}") from None


def erase_party(folder: Path, member: str) -> bool:
    """Erase what is on file of a member; returns whether there was something."""
    kept = read_parties(folder)
    if member not in kept.members:
        return False
    others = {name: party for name, party in kept.members.items() if name != member}
    _write(folder, Parties(operator=kept.operator, members=others))
    return True


def _write(folder: Path, parties: Parties) -> None:
    write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(parties)) + b"\n")


def _check(given: Parties, name: str, members: Sequence[str]) -> None:
    """What the types cannot say: members are known, accounts have sound check digits, keys go together."""
    named: list[tuple[str, PartyRecord]] = [(f"members.{member}", party) for member, party in given.members.items()]
    if given.operator:
        named.insert(0, ("operator", given.operator))
    for place, party in named:
        if party.iban is not None and not iban_holds(party.iban):
            raise InputError(f"{name}: {place}.iban is no IBAN: its check digits do not fit; correct it")
    for member, party in given.members.items():
        if member not in members:
            raise InputError(f"{name}: members.{member}: not in this community; it has {', '.join(members)}")
        if (party.mandate is None) != (party.mandate_signed is None):
            raise InputError(f"{name}: members.{member}: mandate and mandate_signed go together; give both or neither")
        if party.mandate is not None and party.iban is None:
            raise InputError(f"{name}: members.{member}: a mandate needs an iban; give it")


def iban_holds(text: str) -> bool:
    """Whether an IBAN has the right form and check digits. Source: ISO 13616, ISO 7064 MOD 97-10."""
    plain = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", plain):
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def plain_iban(text: str) -> str:
    """An IBAN without blanks, as files for machines have it."""
    return text.replace(" ", "").upper()
