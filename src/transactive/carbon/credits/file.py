"""Credits on offer, as a file: projects, audited batches, and listings at fixed prices. TOML or JSON.

A file stands for steps: its projects are registered and approved, its batches issued by their auditors, its listings
put up, in this order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from transactive.carbon.credits.register import CreditRegister, Kg, Name, Project
from transactive.carbon.credits.steps import AnyStep, Approve, IssueBatch, Price, RegisterProject, Sell
from transactive.core.community.validation import explained
from transactive.core.errors import CreditError, DataError, InputError
from transactive.core.spelling.records import decoded

OPERATOR = "operator"
"""Who registers the projects of a file."""


class FileBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch: issued by the auditor of its project to its owner."""

    project: Name
    vintage: Annotated[int, Meta(ge=1990, le=2200)]
    serial: Name
    kg: Kg
    owner: Name


class FileListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Credits for sale. seller: a member's id, or somebody outside the community."""

    serial: Name
    seller: Name
    kg: Kg
    price_micro_per_t: Price


class CreditsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file; note says what it is for people."""

    note: str = ""
    projects: tuple[Project, ...] = ()
    batches: tuple[FileBatch, ...] = ()
    listings: tuple[FileListing, ...] = ()


def load_credits(folder: Path, file: str | None, currency: str | None = None) -> tuple[AnyStep, ...]:
    """Steps of a file in a folder, none without one; currency: of its prices. Raises DataError naming what is wrong."""
    if file is None:
        return ()
    try:
        data = folder.joinpath(file).read_bytes()
    except OSError as error:
        raise DataError(f"carbon.offsets.file {file}: cannot be read ({error.strerror}); correct the path") from None
    try:
        return read_credits(data, file, currency)
    except DataError as error:
        raise DataError(f"carbon.offsets.file {error}") from None


def read_credits(data: bytes, name: str, currency: str | None = None) -> tuple[AnyStep, ...]:
    """Steps of a file's bytes; JSON where the name ends so. Raises DataError naming what is wrong."""
    try:
        file = decoded(data, CreditsFile, currency, as_json=name.endswith(".json"))
    except InputError as error:
        raise DataError(f"{name}: {error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{name}: {explained(str(error), CreditsFile)}") from None
    try:
        return steps_of(file)
    except CreditError as error:
        raise DataError(f"{name}: {error}") from None


def steps_of(file: CreditsFile) -> tuple[AnyStep, ...]:
    """Steps of a file, each of which a register takes. Raises CreditError for the first that it does not take."""
    steps: list[AnyStep] = []
    trial = CreditRegister()
    for project in file.projects:
        trial.register(project)
        trial.approve(project.auditor, project.id)
        steps += [RegisterProject(by=OPERATOR, project=project), Approve(by=project.auditor, project=project.id)]
    for batch in file.batches:
        auditor = trial.projects[batch.project].auditor if batch.project in trial.projects else OPERATOR
        facts = {name: getattr(batch, name) for name in ("project", "vintage", "serial", "kg", "owner")}
        trial.issue(auditor, **facts)
        steps.append(IssueBatch(by=auditor, **facts))
    for number, listing in enumerate(file.listings):
        found = trial.number_of(listing.serial)
        trial.hold(found, listing.seller, number, listing.kg)
        steps.append(Sell(by=listing.seller, batch=found, kg=listing.kg, price_micro_per_t=listing.price_micro_per_t))
    return tuple(steps)
