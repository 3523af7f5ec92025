"""Medicine as tables with small functions: variables, diagnoses, grid, findings, note sections."""
