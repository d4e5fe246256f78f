"""The documents as a site, and the references that are generated from the program: `python -m scripts.docs`."""
