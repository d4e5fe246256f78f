"""What goes wrong between a run and its chain, told in one place: what happened, what is safe, what to do.

Where the program can mend it, it does and says so once; the rest are errors, each with its next step.
"""

from __future__ import annotations

import sys

from transactive.core.errors import ChainError
from transactive.core.slots import time_text


class Underpriced(ChainError):
    """The node wants a higher fee."""


class NonceTaken(ChainError):
    """Another program used the nonce of a transaction that was signed here."""


def notice(text: str) -> None:
    """Tell whoever runs the program what it does about a trouble, in one line."""
    print(f"transactive: chain: {text}", file=sys.stderr, flush=True)


# -- a chain that is not where it should be ---------------------------------------------------------


def behind(place: str, timestamp: int) -> ChainError:
    """The chain's own clock has not come to the time of a step [Unix s]."""
    return ChainError(
        f"{place} has not reached {time_text(timestamp)}; nothing was sent. Check the node's clock and that it makes"
        " blocks, then run the same again"
    )


def beyond(place: str, newest: int, timestamp: int) -> ChainError:
    """A development chain is past the time of a step [Unix s]."""
    return ChainError(
        f"{place} is at {time_text(newest)}, past the step at {time_text(timestamp)}; nothing was sent. Start a new"
        " development node, and a new --state folder with it"
    )


def without_block_at(timestamp: int) -> ChainError:
    """A chain that follows our time has no block where a step should be."""
    return ChainError(
        f"the chain is past {time_text(timestamp)} without a block at that time: somebody else mined on it. Use a new"
        " chain and a new --state folder"
    )


def without_block(at: int | str) -> ChainError:
    """A node does not have a block that was seen before."""
    return ChainError(
        f"the node has no block {at}; it is behind, or on another chain: let it catch up, or check its URL"
    )


def begun_anew(place: str, number: int) -> ChainError:
    """A node has none of the blocks that this run saw there."""
    return ChainError(
        f"block {number} of {place} is another than when this run sent to it: the node was begun anew, or is on another"
        " chain. The books in the state folder are whole; start the node with its saved chain, or settle again from the"
        " same files with a new --state folder"
    )


def reorganised_too_deep(place: str, number: int) -> ChainError:
    """What was sent so long ago that it is not kept any more was taken back."""
    return ChainError(
        f"block {number} of {place} is another than when this run sent to it: the chain was reorganised deeper than"
        " what is kept for sending again. The books in the state folder are whole; settle again from the same files"
        " with a new --state folder"
    )


def other_chain(place: str, before: int, now: int) -> ChainError:
    """The node at a URL is on another chain than a moment ago."""
    return ChainError(f"{place} was on chain {before} and is on chain {now} now; check what listens there")


def not_the_same_chain(place: str, before: str) -> ChainError:
    """A node at another URL than before is on another chain than the one that a run settled on."""
    return ChainError(
        f"{place} is on another chain than {before}, where this run settled; nothing was sent. Give a node of the same"
        " chain, or settle again from the same files with a new --state folder"
    )


# -- a transaction that does not come through -------------------------------------------------------


def not_final(kind: str, seconds: float, place: str) -> ChainError:
    """A transaction is not deep enough in the chain after all patience."""
    return ChainError(
        f"{kind} is not final after {seconds:g} s on {place}; run the same again: what was sent is waited for and not"
        " sent a second time"
    )


def interrupted_before(timestamp: int) -> ChainError:
    """Another step was begun and not ended."""
    return ChainError(
        f"what was sent at {time_text(timestamp)} was interrupted; repeat that before anything else: run what ran then"
    )


def not_what_was_signed(kind: str) -> ChainError:
    """A repeated step would send something else than it had signed."""
    return ChainError(
        f"{kind} is not what this step had signed before it was interrupted; run what ran then, with the same files"
        " and keys"
    )


def nonce_of_a_contract_taken(kind: str, nonce: int, sender: str) -> NonceTaken:
    """A foreign transaction took the nonce that decides the address of a new contract."""
    return NonceTaken(
        f"{kind}: nonce {nonce} of {sender} was used by another transaction, and with it the address of a contract that"
        " this step deploys. Let only one program sign with this key, and deploy again with a new --state folder"
    )


def done_by_another(kind: str, nonce: int, sender: str, transaction: str | None) -> NonceTaken:
    """A foreign transaction that took a nonce does the very same, or cannot be found."""
    which = f"transaction {transaction}, which does the same" if transaction else "a transaction that is not found"
    return NonceTaken(
        f"{kind}: nonce {nonce} of {sender} was used by {which}; nothing is sent. Does a copy of this run use the same"
        " key? Stop one of the two, then look at `transactive chain status`"
    )


def refused(place: str, kind: str, nonce: int, sender: str, coins: int, error: ChainError) -> ChainError:
    """A node's refusal of a transaction in words that say what to do; coins: what the sender has [wei]."""
    message = str(error)
    low = message.lower()
    if any(words in low for words in TOO_LOW):
        return Underpriced(f"{kind}: {place} refuses the fee ({message}); wait until gas is cheaper, then run again")
    if any(words in low for words in OUT_OF_FUNDS):
        return ChainError(f"{kind}: {sender} has {coins} wei, too little for gas ({message}); send coins to it")
    if "nonce" in low and ("too low" in low or "already" in low):
        return NonceTaken(f"{kind}: nonce {nonce} of {sender} was used by another transaction")
    return ChainError(f"{kind}: {place} refuses it: {message}")


TOO_LOW = ("underpriced", "fee too low", "less than block base fee", "max fee per gas less", "gas price below")
OUT_OF_FUNDS = ("insufficient funds", "insufficient balance", "not enough funds")

# -- a token that is there already ------------------------------------------------------------------


def no_token(address: str, chain: int) -> ChainError:
    """There is nothing at an address that money can be paid in."""
    return ChainError(f"{address} is no ERC-20 token on chain {chain}; nothing was sent. Check --token and the node")


def token_of_other_decimals(address: str, decimals: int) -> ChainError:
    """A token counts in other base units than the books."""
    return ChainError(
        f"token {address} has {decimals} decimals, and the contracts count with 9, a billionth of the currency a unit;"
        " nothing was sent. Settle in a token of nine decimals, or in one that wraps this one"
    )


def on_ramp_lacks(token: str, on_ramp: str, held: int, needed: int) -> ChainError:
    """The on-ramp has less of a token than it is to pay in."""
    return ChainError(
        f"the on-ramp {on_ramp} has {held} base units of token {token} and is to pay in {needed}; nothing was sent."
        f" Send it {needed - held} more, then run the same again"
    )


def token_changes_amounts(token: str, reason: str) -> ChainError:
    """A token keeps a fee, moves another amount, or refuses."""
    return ChainError(
        f"token {token} does not move what it is told to ({reason}): it keeps a fee, changes amounts or refuses"
        " transfers, so that no books in it could balance. Nothing was taken in; settle in another token, with a new"
        " --state folder"
    )


# -- what the program mends -------------------------------------------------------------------------


def signed_anew(kind: str, sender: str, old: int, new: int) -> None:
    """Say that a transaction goes out with another nonce."""
    notice(
        f"{kind}: nonce {old} of {sender} was used by another transaction, so it is signed again with nonce {new}; let"
        " only one program sign with this key"
    )


def sent_again(count: int, place: str) -> None:
    """Say that the chain had lost what was final before."""
    notice(f"{place} was reorganised: {count} transaction{'s' * (count != 1)} that it lost are sent again")


def found_elsewhere(place: str, before: str) -> None:
    """Say that a run goes on at another URL."""
    notice(f"{place} is on the same chain as {before}, where this run settled so far; it goes on there")


def waits_for_window(place: str, until: int) -> None:
    """Say what a run waits for on a chain that keeps its own time."""
    notice(f"the challenge window is open until {time_text(until)} by the clock of {place}; waiting")
