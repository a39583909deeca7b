"""`./dev sweep`: look at every page and every e-mail as everybody would see it."""

from devtools.sweep.command import main

__all__ = ["main"]
