"""`transactive import`: readings of any export, understood, told and kept."""
