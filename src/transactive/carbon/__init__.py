"""Carbon: delivered energy becomes certificates and footprints. Issued ≤ metered, claimed ≤ consumed, no Wh twice."""
