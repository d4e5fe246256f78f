"""Carbon in a run: certificates and footprints slot by slot, their market, and the levy."""
