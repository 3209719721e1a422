"""The command line: `main` runs the command that the arguments name."""

from realtime.cli.command_line import main as main
