"""The box as a witness: what its market commits of its member, held against what it signed and was promised itself."""
