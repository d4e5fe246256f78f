"""EnergyTag: the register of a run as a registry of granular certificates, for programs and for other registries."""
