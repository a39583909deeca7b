"""`manage.py score`: JSON lines in, JSON lines out. Opens no database and needs no settings."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from surveys.score_lines import score_line


class Command(BaseCommand):
    help = "Score JSON lines from standard input, one answer per line, in order."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """A reader that has seen enough (`| head`) closes the pipe; that is no crash."""
        try:
            failed = self._score_lines()
        except BrokenPipeError:
            # The interpreter flushes once more as it ends: let it write into nothing.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            failed = True
        if failed:
            sys.exit(1)

    def _score_lines(self) -> bool:
        """Each answer is flushed at once, so that a caller may talk line by line."""
        failed = False
        for line in sys.stdin.buffer:
            answer = score_line(line)
            if answer is None:
                continue
            text, is_scored = answer
            self.stdout.write(text)
            self.stdout.flush()
            failed = failed or not is_scored
        return failed
