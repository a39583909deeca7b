"""`./dev demo`: the whole product under one supervisor, on invented patients."""

from devtools.demo.command import main

__all__ = ["main"]
