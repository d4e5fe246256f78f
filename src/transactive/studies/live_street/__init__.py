"""A street that is live in a minute: five simulated homes with boxes, a battery, and their market on a broker."""
