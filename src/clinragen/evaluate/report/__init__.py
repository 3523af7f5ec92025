"""One report of a run, as a web page that needs nothing else and as Markdown with the same numbers."""
