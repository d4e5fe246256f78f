"""What people write: quantities with units, and files that hold them, in the whole numbers of the program."""
