"""How members decide together: the page, its forms, and the same for programs."""
