from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate

from reminders.checks import catalogue_is_sound

CATALOGUE = Path(__file__).parent / "catalogue"


def record_protocols(**kwargs: Any) -> None:
    """A deploy records the built-in protocols beside the tables that refer to them."""
    from clinic.definitions import record_catalogue
    from clinic.models import Definition

    record_catalogue(Definition.Kind.PROTOCOL, CATALOGUE, now=datetime.now(UTC))


class RemindersConfig(AppConfig):
    name = "reminders"

    def ready(self) -> None:
        register(catalogue_is_sound)
        # Receivers: providers' reports, and alerts that should not wait for the tick.
        from reminders import tasks, webhooks  # noqa: F401

        post_migrate.connect(record_protocols, sender=self)
