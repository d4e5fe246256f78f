"""Charts as SVG text, drawn in Python."""
