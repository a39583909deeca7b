"""A broken protocol stops the deploy, not the patient."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from reminders import protocols, webhook_proofs


def catalogue_is_sound(**kwargs: Any) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for path in sorted(protocols.CATALOGUE.glob("*/*.toml")):
        try:
            protocols.get(path.parent.name, path.stem)
        except protocols.InvalidProtocol as error:
            errors.append(Error(f"{path.parent.name}/{path.name}: {error}", id="reminders.E001"))
    return errors


@register(Tags.security, deploy=True)
def mail_leads_back_here(**kwargs: Any) -> list[CheckMessage]:
    """What a server that writes to patients cannot do without."""
    errors: list[CheckMessage] = []
    if settings.MAIL_MODE != "send":
        return errors
    if settings.MAIL_FROM.endswith("@localhost"):
        errors.append(Error("MAIL_FROM must be set: nobody accepts localhost", id="reminders.E002"))
    if not settings.SECURE:
        errors.append(
            Error("SITE_ROOT must be https://: answers travel there", id="reminders.E003")
        )
    return errors


@register(Tags.security, deploy=True)
def reports_are_believed(**kwargs: Any) -> list[CheckMessage]:
    """A provider whose reports are refused bounces and complains unheard."""
    package, _, backend = settings.EMAIL_BACKEND.partition(".backends.")
    if settings.MAIL_MODE != "send" or package != "anymail":
        return []
    missing = webhook_proofs.lacking(backend.partition(".")[0])
    if not missing:
        return []
    text = f"{', '.join(missing)} must be set: until then every report of a bounce is refused"
    return [Warning(text, id="reminders.W001")]
