"""How the standing of a forecaster is said: in Wh of CRPS a day, with its interval."""

from __future__ import annotations

MILLI_OF_TWENTIETHS = 20
"""Thousandths of a Wh of CRPS in a twentieth of a Wh of summed pinball loss: fifty of these are a Wh."""
HEAD = ("Forecaster", "=Gain a day", "=90 % between", "=Slots", "=Not shown", "=Paid", "Better")
"""Columns of the leaderboard."""
RULES = (
    "Gain in Wh of CRPS against the market’s own forecast of the same total, which leaves out a forecaster’s own meter."
    " The interval comes from days drawn anew; who is better by more than luck stands first."
)


def leader_row(
    name: str, gains: tuple[float, float, float], counts: tuple[int, int], paid: str | None, *, is_told: bool
) -> list[str]:
    """A row in the columns of `HEAD`.

    gains: lower end, mean and upper end a day [1/20 Wh]; counts: slots, and those not shown; paid: money, in words.
    is_told: whether there were days enough to tell luck from skill.
    """
    low, mean, high = gains
    between = f"{wh_text(low)} and {wh_text(high)}"
    sure = sureness(low, high, is_told=is_told)
    return [name, wh_text(mean), between, *(f"{count:,}" for count in counts), paid or "–", sure]


def milli_wh(gain: float) -> int:
    """A gain [1/20 Wh] in thousandths of a Wh of CRPS."""
    return round(gain * MILLI_OF_TWENTIETHS)


def wh_text(gain: float) -> str:
    """A gain [1/20 Wh] in Wh of CRPS, with its sign."""
    return f"{gain * MILLI_OF_TWENTIETHS / 1000:+,.1f}"


def sureness(low: float, high: float, *, is_told: bool) -> str:
    """Whether somebody is better than the market itself, from the ends of an interval of enough days."""
    if not is_told or low <= 0 <= high:
        return "cannot be told"
    return "yes" if low > 0 else "no"
