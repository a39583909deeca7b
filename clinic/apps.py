from django.apps import AppConfig

from clinic import append_only


class ClinicConfig(AppConfig):
    name = "clinic"

    def ready(self) -> None:
        append_only.protect("clinic_auditentry", self)
