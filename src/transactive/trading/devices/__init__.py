"""Devices that can shift energy: plans, the rules they follow in real time, what energy is worth to them."""
