"""The API under /api/v1: routes, records, cursors."""
