"""In which language pages speak, chosen for each request."""
