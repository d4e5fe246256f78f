"""`transactive feed …`: prices, carbon intensity and weather from where they are told."""
