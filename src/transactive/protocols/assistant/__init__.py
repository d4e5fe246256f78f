"""The Model Context Protocol: an assistant asks a running community, with the rights of its token, and proposes."""
