"""The engine: one slot after the other through all rooms. The only place that knows their order.

At the start of a slot u the gate of slot u + lead closes: `forecasting` on the readings of slots that have ended,
`trading`, `market`. Then u itself is delivered and metered, `settlement` holds trades against meters, `carbon`
certifies, `settlement` posts, `chain` commits, `insight` counts.
"""
