"""What the registry says when it refuses: the error object that EnergyTag's API specification has for all of them."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from transactive.core.errors import InputError


class ValidationError(msgspec.Struct, frozen=True):
    """What is wrong, and where. loc: way to it; type: a word for programs."""

    loc: tuple[str, ...]
    msg: str
    type: str


class HTTPValidationError(msgspec.Struct, frozen=True):
    """All that is wrong with a request."""

    detail: tuple[ValidationError, ...]


class RegistryRefusal(InputError):
    """A request that is not carried out; nothing has changed."""

    code = "energytag"

    def __init__(self, status: HTTPStatus, message: str, kind: str, *place: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.place = status, kind, place

    @property
    def problem(self) -> HTTPValidationError:
        """What the client is told."""
        return HTTPValidationError((ValidationError(self.place or ("body",), str(self), self.kind),))
