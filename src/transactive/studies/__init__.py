"""Studies: recorded days run under several mechanisms, networks, agents or plans, side by side."""
