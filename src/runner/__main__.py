"""Run the package as a command: ``python -m runner script.py``."""

from runner.cli.main import main

main()
