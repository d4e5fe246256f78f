"""A trained model as one immutable file: what it is, what it has seen, and what it learnt.

The file is JSON; nothing in it runs when it is read. Its name in the registry is its SHA-256, so the bytes that were
tested are the bytes that forecast.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from typing import cast

import msgspec

from transactive import __version__
from transactive.core.errors import DataError
from transactive.forecasting import registry
from transactive.forecasting.models import features
from transactive.forecasting.registry import Forecaster, Model, Restoring, StorableModel

FORMAT = 1
LIBRARIES = ("numpy", "lightgbm")
"""Whose versions a model names, as they decide how it rounds."""


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model comes from.

    members: columns of the history it learnt from, in order. since, until: of that history [Unix s]. horizon: slots
    ahead that it forecasts. seed: of what it drew.
    """

    forecaster: str
    target: str
    members: tuple[str, ...]
    slot_seconds: int
    horizon: int
    since: int
    until: int
    seed: int


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds. content: what the model wrote, empty where its recipe learns nothing."""

    format: int = FORMAT
    program: str = __version__
    features: int = features.VERSION
    libraries: dict[str, str]
    learnt: Learnt
    content: bytes


def pack(model: Model, recipe: Forecaster, learnt: Learnt) -> bytes:
    """A model as the bytes of its file. Raises DataError for one that cannot be stored."""
    if isinstance(model, StorableModel) and isinstance(recipe, Restoring):
        content = model.to_bytes()
    elif model == cast("Model", recipe):  # it learns nothing
        content = b""
    else:
        raise DataError(
            "its models cannot be written to a file; give them to_bytes and the recipe from_bytes, or use it with"
            ' forecast.maintain = "off"'
        )
    return msgspec.json.encode(ModelFile(libraries=_libraries(), learnt=learnt, content=content))


def opened(data: bytes, expected_hash: str, name: str) -> ModelFile:
    """What a model's file says of it, after its hash; the model itself is not read. `name`: of the file, for messages.

    Raises DataError where the hash differs, the file is none of ours, or it was taught other features.
    """
    if digest(data) != expected_hash:
        raise DataError(
            f"model {name}: its SHA-256 is {digest(data)[:12]}…, not the recorded {expected_hash[:12]}…: the file was"
            " changed; put the original back, or roll back to another model"
        )
    try:
        stored = msgspec.json.decode(data, type=ModelFile)
    except msgspec.MsgspecError as error:
        raise DataError(f"model {name}: is no model file of this program ({error}); train anew") from None
    if (stored.format, stored.features) != (FORMAT, features.VERSION):
        raise DataError(
            f"model {name}: has format {stored.format} and features {stored.features}; this program reads {FORMAT} and"
            f" {features.VERSION}: train anew"
        )
    return stored


def restored(stored: ModelFile, name: str) -> Model:
    """The model of a file. Raises DataError where its forecaster cannot read it."""
    recipe = registry.load(stored.learnt.forecaster)
    if not stored.content:
        return cast("Model", recipe)  # it learns nothing
    if not isinstance(recipe, Restoring):
        raise DataError(f"model {name}: forecaster {stored.learnt.forecaster!r} cannot read its models any more")
    return recipe.from_bytes(stored.content)


def digest(data: bytes) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _libraries() -> dict[str, str]:
    """Versions of the libraries that a model depends on, of those that are there."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
