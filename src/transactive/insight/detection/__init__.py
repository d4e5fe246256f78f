"""Detection: what readings, the feeder, and kept or broken promises say about meters, devices and people."""
