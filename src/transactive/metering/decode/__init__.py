"""Decoders: what meters send, as bytes, to registers. Pure, and no input makes one fail but with a reason."""
