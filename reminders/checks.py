"""A broken protocol stops the deploy, not the patient."""

from typing import Any

from django.core.checks import CheckMessage, Error

from reminders import protocols


def catalogue_is_sound(**kwargs: Any) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for path in sorted(protocols.CATALOGUE.glob("*/*.toml")):
        try:
            protocols.get(path.parent.name, path.stem)
        except protocols.InvalidProtocol as error:
            errors.append(Error(f"{path.parent.name}/{path.name}: {error}", id="reminders.E001"))
    return errors
