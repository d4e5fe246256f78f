"""Parts of the grid page: what is forecast of lines, and what was done for them."""
