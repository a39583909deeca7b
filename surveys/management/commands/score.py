"""`manage.py score`: JSON lines in, JSON lines out. Opens no database and needs no settings."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from surveys.score_lines import score_line


class Command(BaseCommand):
    help = "Score JSON lines from standard input, one answer per line, in order."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
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
        if failed:
            sys.exit(1)
