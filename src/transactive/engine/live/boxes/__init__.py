"""What a live market says to the boxes at its meters: terms, answers to orders, rules, limits of the grid."""
