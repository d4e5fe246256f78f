"""What members sign to trade with each other, and what the operator signs so that they may: EIP-712 typed data."""
