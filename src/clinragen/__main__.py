"""`python -m clinragen`: the command line, for launchers that start modules."""

from clinragen.cli import main

main()
