"""Direct trading at work: a node of a slot on a transport, by the clock."""
