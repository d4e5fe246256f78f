"""Contracts as the engine sees them: settlement, the balance market, carbon credits."""
