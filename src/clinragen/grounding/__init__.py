"""Does the chart support what a text says? Claims and verdicts."""
