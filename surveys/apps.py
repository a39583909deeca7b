from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate

from clinic import append_only
from surveys.checks import catalogue_is_sound

CATALOGUE = Path(__file__).parent / "catalogue"


def record_instruments(**kwargs: Any) -> None:
    """A deploy records the built-in questionnaires beside the tables that refer to them."""
    from clinic.definitions import record_catalogue
    from clinic.models import Definition

    record_catalogue(Definition.Kind.INSTRUMENT, CATALOGUE, now=datetime.now(UTC))


class SurveysConfig(AppConfig):
    name = "surveys"

    def ready(self) -> None:
        register(catalogue_is_sound)
        append_only.protect("surveys_alertevent", self)
        append_only.protect("surveys_contactattempt", self)
        append_only.protect("surveys_escalation", self)
        post_migrate.connect(record_instruments, sender=self)
