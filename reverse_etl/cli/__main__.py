"""`python -m reverse_etl.cli`: the command line, where its script is not on the path."""

from reverse_etl.cli import main

main()
