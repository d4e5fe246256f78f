"""What people are told outside the page: by e-mail or to an address of their own, as each of them chose."""
