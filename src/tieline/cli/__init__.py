"""The command line: one short command a verb."""

from tieline.cli.commands import app

__all__ = ["app"]
