"""What an export tells of itself, where no profile knows it: columns, times, units, registers, quality."""
