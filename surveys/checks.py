"""A broken questionnaire stops the deploy, not the patient."""

from typing import Any

from django.core.checks import CheckMessage, Error

from surveys import instruments


def catalogue_is_sound(**kwargs: Any) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for key, version in instruments.available():
        try:
            instruments.get(key, version)
        except instruments.InvalidInstrument as error:
            errors.append(Error(f"{key}/{version}.toml: {error}", id="surveys.E001"))
    return errors
