"""A day that trades on the balance market contract only, with its twin beside it."""
