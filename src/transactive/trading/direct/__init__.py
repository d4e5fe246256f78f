"""Direct trading between members: the protocol of a node, without I/O, clock or randomness of its own.

docs/concepts/negotiation.md specifies it for those who write another one.
"""
