"""Parts of the page of the community."""
