"""Routes of people who sign in, by password or by passkey; what they keep stands in `accounts`."""
