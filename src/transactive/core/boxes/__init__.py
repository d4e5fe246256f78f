"""What a market and the boxes at its meters say to each other, beside the records of the meters."""
