"""What a battery did and why, in whole sentences; the figures in them are those of its plan."""

from __future__ import annotations

from transactive.texts.language import N_

WEIGHED = {
    "stored": N_(
        "Stored %(kwh)s kWh that the home had to spare: given to the street it would bring %(price)s, kept it is"
        " worth %(worth)s."
    ),
    "stored_and_took": N_(
        "Stored what the home had to spare and took more from the street, %(kwh)s kWh in all: it costs"
        " %(price)s now and is worth %(worth)s later."
    ),
    "took": N_("Charged %(kwh)s kWh from the street: it costs %(price)s now and is worth %(worth)s later."),
    "served": N_(
        "Served the home with %(kwh)s kWh: from the street it would cost %(price)s, kept it is worth %(worth)s."
    ),
    "served_in_part": N_(
        "Served a part of what the home needed, %(kwh)s kWh: from the street it would cost %(price)s, kept it"
        " is worth %(worth)s."
    ),
    "served_and_gave": N_(
        "Served the home and gave the rest to the street, %(kwh)s kWh in all: it counts %(price)s now, kept"
        " it is worth %(worth)s."
    ),
    "gave": N_("Gave %(kwh)s kWh to the street: it brings %(price)s now, kept it is worth %(worth)s."),
    "kept": N_(
        "Kept %(kwh)s kWh that the home needed for later: it costs %(price)s from the street now and is worth %(worth)s"
        " later."
    ),
    "left_room": N_(
        "Gave %(kwh)s kWh that the home had to spare to the street: it brings %(price)s now, kept it is worth"
        " %(worth)s."
    ),
}
"""With what was weighed for the slot."""
PLAIN = {
    "stored": N_("Stored %(kwh)s kWh that the home had to spare."),
    "stored_and_took": N_("Stored what the home had to spare and took more from the street, %(kwh)s kWh in all."),
    "took": N_("Charged %(kwh)s kWh from the street."),
    "served": N_("Served the home with %(kwh)s kWh."),
    "served_in_part": N_("Served a part of what the home needed, %(kwh)s kWh."),
    "served_and_gave": N_("Served the home and gave the rest to the street, %(kwh)s kWh in all."),
    "gave": N_("Gave %(kwh)s kWh to the street."),
    "kept": N_("Kept its energy for later; the home took what it needed from the street."),
    "left_room": N_("Gave what the home had to spare to the street."),
    "full": N_("Full: what the home had to spare went to the street."),
    "empty": N_("Empty: the home took what it needed from the street."),
    "at_reserve": N_("At its reserve: the home took what it needed from the street."),
    "rested": N_("The home neither needed anything nor had anything to spare."),
}
"""Where nothing had to be weighed, or what was weighed was not kept."""
COMING = {
    "stored": N_("To store %(kwh)s kWh that the home will have to spare."),
    "stored_and_took": N_("To store what the home will have to spare, and more from the street: %(kwh)s kWh in all."),
    "took": N_("To charge %(kwh)s kWh from the street."),
    "served": N_("To serve the home with %(kwh)s kWh."),
    "served_in_part": N_("To serve a part of what the home will need, %(kwh)s kWh."),
    "served_and_gave": N_("To serve the home and give the rest to the street, %(kwh)s kWh in all."),
    "gave": N_("To give %(kwh)s kWh to the street."),
    "kept": N_("To keep its energy for later."),
    "left_room": N_("To leave room, and give what the home will have to spare to the street."),
    "full": N_("To be full."),
    "empty": N_("To be empty."),
    "at_reserve": N_("To be at its reserve."),
    "rested": N_("To rest."),
}
"""Of slots that are still to come."""
LATER = N_("A kWh counts %(price)s then and %(worth)s kept.")
OTHERWISE = N_("Otherwise the plan would have cost %(saved)s more.")
AT_POWER = N_("Its power allows no more in a slot.")
SURPRISED = N_("The forecast had expected a net load of %(low)s to %(high)s kWh; it was %(came)s kWh.")
BY_PLAN_CHARGED = N_(
    "By its plan it would have charged %(kwh)s kWh: the device, its connection or a line held it back."
)
BY_PLAN_GIVEN = N_("By its plan it would have given %(kwh)s kWh: the device, its connection or a line held it back.")
BY_PLAN_RESTED = N_("By its plan it would have rested: the device, its connection or a line asked for it.")
