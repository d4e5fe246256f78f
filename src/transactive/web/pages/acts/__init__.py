"""The forms of the member page with which a home acts; what their card shows is in `parts.acting`."""
