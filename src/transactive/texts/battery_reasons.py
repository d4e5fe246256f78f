"""What a battery did and why, in whole sentences; the figures in them are those of its plan."""

from __future__ import annotations

WEIGHED = {
    "stored": "Stored {kwh} kWh that the home had to spare: given to the street it would bring {price}, kept it is"
    " worth {worth}.",
    "stored_and_took": "Stored what the home had to spare and took more from the street, {kwh} kWh in all: it costs"
    " {price} now and is worth {worth} later.",
    "took": "Charged {kwh} kWh from the street: it costs {price} now and is worth {worth} later.",
    "served": "Served the home with {kwh} kWh: from the street it would cost {price}, kept it is worth {worth}.",
    "served_in_part": "Served a part of what the home needed, {kwh} kWh: from the street it would cost {price}, kept it"
    " is worth {worth}.",
    "served_and_gave": "Served the home and gave the rest to the street, {kwh} kWh in all: it counts {price} now, kept"
    " it is worth {worth}.",
    "gave": "Gave {kwh} kWh to the street: it brings {price} now, kept it is worth {worth}.",
    "kept": "Kept {kwh} kWh that the home needed for later: it costs {price} from the street now and is worth {worth}"
    " later.",
    "left_room": "Gave {kwh} kWh that the home had to spare to the street: it brings {price} now, kept it is worth"
    " {worth}.",
}
"""With what was weighed for the slot."""
PLAIN = {
    "stored": "Stored {kwh} kWh that the home had to spare.",
    "stored_and_took": "Stored what the home had to spare and took more from the street, {kwh} kWh in all.",
    "took": "Charged {kwh} kWh from the street.",
    "served": "Served the home with {kwh} kWh.",
    "served_in_part": "Served a part of what the home needed, {kwh} kWh.",
    "served_and_gave": "Served the home and gave the rest to the street, {kwh} kWh in all.",
    "gave": "Gave {kwh} kWh to the street.",
    "kept": "Kept its energy for later; the home took what it needed from the street.",
    "left_room": "Gave what the home had to spare to the street.",
    "full": "Full: what the home had to spare went to the street.",
    "empty": "Empty: the home took what it needed from the street.",
    "at_reserve": "At its reserve: the home took what it needed from the street.",
    "rested": "The home neither needed anything nor had anything to spare.",
}
"""Where nothing had to be weighed, or what was weighed was not kept."""
COMING = {
    "stored": "To store {kwh} kWh that the home will have to spare.",
    "stored_and_took": "To store what the home will have to spare, and more from the street: {kwh} kWh in all.",
    "took": "To charge {kwh} kWh from the street.",
    "served": "To serve the home with {kwh} kWh.",
    "served_in_part": "To serve a part of what the home will need, {kwh} kWh.",
    "served_and_gave": "To serve the home and give the rest to the street, {kwh} kWh in all.",
    "gave": "To give {kwh} kWh to the street.",
    "kept": "To keep its energy for later.",
    "left_room": "To leave room, and give what the home will have to spare to the street.",
    "full": "To be full.",
    "empty": "To be empty.",
    "at_reserve": "To be at its reserve.",
    "rested": "To rest.",
}
"""Of slots that are still to come."""
LATER = "A kWh counts {price} then and {worth} kept."
OTHERWISE = "Otherwise the plan would have cost {saved} more."
AT_POWER = "Its power allows no more in a slot."
SURPRISED = "The forecast had expected a net load of {low} to {high} kWh; it was {came} kWh."
BY_PLAN_CHARGED = "By its plan it would have charged {kwh} kWh: the device, its connection or a line held it back."
BY_PLAN_GIVEN = "By its plan it would have given {kwh} kWh: the device, its connection or a line held it back."
BY_PLAN_RESTED = "By its plan it would have rested: the device, its connection or a line asked for it."
