"""Chargers of cars: a small central system of OCPP 1.6 and 2.0.1, to which one charger connects."""
