"""Have every schedule looked at again: after new rules for a time zone, or an older backup."""

from typing import Any

from django.core.management.base import BaseCommand

from clinic.models import Course
from reminders.timekeeping import database_clock


class Command(BaseCommand):
    help = "Have every schedule looked at again in the next ticks. What was sent stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        looked_at = Course.objects.under_way().look_again(database_clock()())
        self.stdout.write(f"{looked_at} courses: the next ticks look at their schedules again.")
