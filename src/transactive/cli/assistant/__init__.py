"""`transactive mcp`: an assistant asks a running community."""
