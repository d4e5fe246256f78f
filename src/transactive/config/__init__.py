"""From files to `core`: the community file, the data that it names, and the checks of both."""
