"""What a VTN says when it refuses: a problem object, and the errors of RFC 6749 where a token was asked for."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal, TypeAlias

import msgspec

from transactive.core.errors import InputError

OAuthWord: TypeAlias = Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]


class WireProblem(msgspec.Struct, frozen=True):
    """A problem as OpenADR 3.1 defines it."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


class TokenError(msgspec.Struct, frozen=True):
    """Why there is no token. Source: RFC 6749, section 5.2."""

    error: OAuthWord
    error_description: str


class Refused(InputError):
    """A request that the VTN does not carry out; nothing has changed."""

    code = "openadr"

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status

    @property
    def problem(self) -> WireProblem:
        """What the client is told."""
        return WireProblem(self.status.phrase, self.status.value, str(self))


class TokenRefused(InputError):
    """A token that was asked for and is not given."""

    code = "openadr.token"

    def __init__(self, status: HTTPStatus, word: OAuthWord, detail: str) -> None:
        super().__init__(detail)
        self.status, self.word = status, word
