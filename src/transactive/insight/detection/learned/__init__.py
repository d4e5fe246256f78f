"""What detection learnt: features of meters, the judge of windows, and how it is tested."""
