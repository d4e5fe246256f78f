"""The balance price: quoted by the imbalance of a slot, as the derivative of a convex cost."""
