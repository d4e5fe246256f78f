"""OpenADR 3.1: a community tells prices and limits as a VTN, and takes those of a utility as a VEN."""
