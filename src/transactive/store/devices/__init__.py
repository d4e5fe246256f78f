"""What is kept of devices: the plans of batteries."""
