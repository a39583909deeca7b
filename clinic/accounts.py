"""How staff sign in: by invitation only, with an e-mail address and a password."""

import logging
from email.utils import formataddr
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

log = logging.getLogger(__name__)


def sender() -> str:
    return formataddr(("Afterglow", settings.MAIL_FROM))


def mailbox_of(email: str) -> str:
    """Where mail for this member of staff goes: elsewhere only while all mail is redirected."""
    mode: str = settings.MAIL_MODE
    return mode.partition(":")[2] if mode.startswith("redirect:") else email


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """No sign-up. Mail about accounts goes to staff also while patients' mail is on hold, because
    its reader has just asked for it; never to an address that is no account's."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The host is ours by settings, never what the request claims."""
        uid, _, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return str(settings.SITE_ROOT + path)

    def format_email_subject(self, subject: str) -> str:
        return subject

    def get_from_email(self) -> str:
        return sender()

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        if settings.MAIL_MODE == "hold" and template_prefix.endswith("/unknown_account"):
            log.info("mail is on hold: no answer to an address without an account")
            return
        super().send_mail(template_prefix, mailbox_of(email), context)
