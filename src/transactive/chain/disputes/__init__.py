"""Evidence against an operator: leaf files, findings, arguments for the judge."""
