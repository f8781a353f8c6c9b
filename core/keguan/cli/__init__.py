"""The command line: a thin shell over the functions that do the work."""

from keguan.cli.main import cli, main

__all__ = ["cli", "main"]
