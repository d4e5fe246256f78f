"""What is shown of lines, and to whom: groups of homes large enough for those who operate the grid."""
