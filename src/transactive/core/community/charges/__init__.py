"""What a bill adds to prices by the kWh: standing charges, and the value-added tax of each item."""
