"""What the reader believes of a file, in words."""

from __future__ import annotations

from transactive.metering.exports.belief import Belief, RegisterBelief

WAYS = {"energy": "energy of each slot", "power": "mean power of each slot", "total": "a register that counts on"}


def in_words(belief: Belief) -> str:
    """Lines for people, one a thing that could be wrong."""
    return "\n".join(f"{name:<12}{text}" for name, text in lines_of(belief))


def lines_of(belief: Belief) -> list[tuple[str, str]]:
    """What a line is about, and what is believed of it."""
    found = f"{belief.title} ({belief.grade})" if belief.grade else belief.title
    meters = ", ".join(name or "not named" for name in belief.meters[:4])
    more = f" and {len(belief.meters) - 4} more" if len(belief.meters) > 4 else ""
    return [
        ("file", belief.file),
        ("profile", f"{belief.profile}: {found}" if belief.profile else found),
        (
            "times",
            f"{' and '.join(belief.times) or 'of the format'}, the {belief.stamp} of {belief.slot_minutes} minutes",
        ),
        ("zone", belief.zone),
        ("span", f"{belief.first_slot} to {belief.end}, {belief.slots:,} slots"),
        ("meters", f"{len(belief.meters)}: {meters}{more}"),
        *((one.register, _register(one)) for one in belief.registers),
        ("gaps", f"{belief.gaps:,}, the first of {belief.first_gap}" if belief.gaps else "none"),
        ("doubles", f"{belief.doubles:,} equal rows left out" if belief.doubles else "none"),
        ("estimated", f"{belief.estimated:,} readings" if belief.estimated else "none that says so"),
        *(("clock", _change(change.day, change.slots, change.found)) for change in belief.clock_changes),
    ]


def _register(one: RegisterBelief) -> str:
    """A register with what it counts, and doubt where no home has such power."""
    source = f"{' + '.join(one.columns)}, " if one.columns else ""
    text = f"{source}{one.unit}, {WAYS[one.reading]}: {one.energy_wh / 1000:,.3f} kWh"
    text += f", {one.mean_w:,} W on average, {one.peak_w:,} W at most"
    return f"{text}; NO HOME TAKES THAT, is the unit right?" if one.doubtful else text


def _change(day: str, slots: int, found: int) -> str:
    """A day whose clock is changed, and whether all its slots are there."""
    return f"{day} is changed: {slots} slots that day, {'all' if found == slots else found} in the file"
