"""`./dev chaos`: drive the engine through a storm of failures and check what it promises.

What runs inside Afterglow's own settings (`enrolling`, `acting`, `hurrying`, `judging`) are
processes of their own, started as `python -m devtools.chaos NAME FOLDER …`.
"""

from devtools.chaos.command import main

__all__ = ["main"]
