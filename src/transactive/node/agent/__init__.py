"""The box trades: what it expects, the order that follows, and its way to the market."""
