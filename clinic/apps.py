from django.apps import AppConfig

from clinic import append_only, checks

__all__ = ["ClinicConfig", "checks"]  # imported so that the checks are registered


class ClinicConfig(AppConfig):
    name = "clinic"

    def ready(self) -> None:
        append_only.protect("clinic_auditentry", self)
