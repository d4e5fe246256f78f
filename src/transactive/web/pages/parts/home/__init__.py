"""Parts of the page of one home."""
