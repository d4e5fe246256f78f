"""Direct trading in a live market: seats, rolls and deals that members' own nodes agree on."""
