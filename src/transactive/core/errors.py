"""All errors of the program, drawn as a tree.

::

    TransactiveError                 code, exit code
    ├── InputError                   something the user gave (exit 3)
    │   ├── ConfigError              community file
    │   ├── DataError                readings, orders, series
    │   │   ├── RecordError          a record of a meter that does not count, each reason with a code of its own
    │   │   ├── OrderError           an order that a market does not take, each reason with a code of its own
    │   │   └── Unsaid               what a file does not tell, and an option can say
    │   ├── MissingExtra             a part of the program that is not installed
    │   └── CertificateError         a step that a certificate does not allow
    │       └── CreditError          a step that a carbon credit does not allow, each rule with a code of its own
    ├── StateError                   a state folder that cannot be used as asked (exit 4)
    │   └── UnreadableState          a file in it that is damaged
    ├── ChainError                   a node or a contract refused (exit 5)
    │   ├── NodeUnreachable          no usable answer in a bounded number of tries
    │   └── ContractRevert           with the contract's own "module: reason"
    ├── SignatureError               a reading or an order is not signed by whom it says (exit 3)
    └── RuleBroken                   one of the rules that must never break; a bug (exit 70)

Each message is one line that names the field, row or key and says what to do. The codes are stable: scripts
and, later, the API's problem types rely on them.
"""

from __future__ import annotations

from typing import ClassVar


class TransactiveError(Exception):
    """Base of all errors that the program raises on purpose."""

    code: str = "error"
    exit_code: ClassVar[int] = 1


class InputError(TransactiveError):
    """Something the user gave cannot be used."""

    code = "input"
    exit_code = 3


class ConfigError(InputError):
    """A community file is wrong; the message names the key."""

    code = "config"


class DataError(InputError):
    """Readings, orders or series are wrong; the message names file, row and column."""

    code = "data"


class Unsaid(DataError):
    """What a file does not tell itself: `option` says it, as one of `choices` if it is not free."""

    code = "data.unsaid"

    def __init__(self, message: str, option: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.option, self.choices = option, choices


class RecordError(DataError):
    """A record of a meter does not count; `reason` says why in a word and ends the code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.code = reason, f"record.{reason}"


class OrderError(DataError):
    """An order is not taken; `reason` says why in a word and ends the code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.code = reason, f"order.{reason}"


class MissingExtra(InputError):
    """What was asked for needs an extra that is not installed; the message names it."""

    code = "extra"


class CertificateError(InputError):
    """A step that the life of a certificate does not allow; `rule` names what forbids it and ends the code."""

    code = "certificate"

    def __init__(self, message: str, rule: str = "") -> None:
        super().__init__(message)
        if rule:
            self.code = f"certificate.{rule}"


class CreditError(CertificateError):
    """A step that the life of a carbon credit does not allow; `rule` names what forbids it and ends the code."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.code = f"credit.{rule}"


class SignatureError(InputError):
    """A record is not signed by the key that it names."""

    code = "signature"


class StateError(TransactiveError):
    """A state folder cannot be used as asked."""

    code = "state"
    exit_code = 4


class UnreadableState(StateError):
    """A file of a state folder cannot be read as what it is."""


class ChainError(TransactiveError):
    """A node could not be reached or refused."""

    code = "chain"
    exit_code = 5


class NodeUnreachable(ChainError):
    """A node gave no usable answer, however often it was asked; whether it acted on the request is not known."""

    code = "chain.unreachable"


class ContractRevert(ChainError):
    """A contract refused; the message is its own "module: reason"."""

    code = "chain.revert"


class RuleBroken(TransactiveError):
    """A rule that must never break did; this is a bug in the program, not in its input."""

    code = "rule"
    exit_code = 70


def require(condition: bool, rule: str) -> None:
    """Raise `RuleBroken` naming the rule unless it holds."""
    if not condition:
        raise RuleBroken(f"{rule}; please report this with the command you ran")
