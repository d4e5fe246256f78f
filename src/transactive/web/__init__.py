"""The page: server-rendered HTML, all assets in the wheel."""
