"""Files that utilities, portals and people export: any of them becomes readings by a profile, found or written."""
