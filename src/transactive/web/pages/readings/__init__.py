"""The page where an operator brings readings."""
