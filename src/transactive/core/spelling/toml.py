"""Files in TOML that end: numbers of thousands of digits and brackets without end are no TOML of ours."""

from __future__ import annotations

from typing import Any

import msgspec


def parsed(text: bytes) -> Any:  # noqa: ANN401 - parsed TOML
    """Contents of a TOML file. Raises msgspec.DecodeError, and UnicodeDecodeError for other encodings than UTF-8."""
    try:
        return msgspec.toml.decode(text)
    except UnicodeDecodeError:
        raise
    except RecursionError:
        raise msgspec.DecodeError("its brackets are nested without end") from None
    except ValueError as error:
        raise msgspec.DecodeError(str(error).partition(";")[0]) from None
