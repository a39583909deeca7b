"""A member has a sample sent to themselves: to their own address, over the way real mail takes.

No row is sent here, so nothing is claimed and nothing is owed. The trail is written first, and
counts how many went in the last hour.
"""

import re
import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor
from clinic.models import AuditEntry, Member
from clinic.refusals import Refused
from reminders import calls, emails, lanes, samples
from reminders.emails import Mail, Parts
from reminders.letters import mailbox
from reminders.outcomes import Outcome
from reminders.samples import Sample

AT_MOST, PERIOD = 10, timedelta(hours=1)
ACTION = "send test e-mail"


def send_to_oneself(sample: Sample, language: str, *, by: Actor, now: datetime) -> Outcome:
    """Returns what the mail server said. The call is made outside the transaction."""
    member = by.member
    if member is None:
        raise ValueError("only a member has a mailbox of their own")
    demand(by, "send messages", member.clinic)
    lane = lanes.current()
    if settings.MAIL_MODE == "hold":
        raise Refused(_("E-mail is on hold on this server, so nothing was sent, not even a test."))
    if not lanes.is_open(lane, now=now):
        raise Refused(_("E-mail does not get out at the moment, so nothing was sent. Try later."))
    mail = written(sample, language, to=member, lane=lane, now=now)
    _record(member, by, now)
    outcome = calls.alone(mail, lambda: now)
    lanes.note(lane, outcome, now=now)
    return outcome


def written(sample: Sample, language: str, *, to: Member, lane: str, now: datetime) -> Mail:
    """The sample as it is, with one sentence before it."""
    letter = replace(
        samples.letter(sample, language, reader=to, now=now),
        to=mailbox(to.user.email),
        message_id=uuid.uuid4(),  # each test is a mail of its own
        ref=str(uuid.uuid4()),
    )
    parts = _marked(emails.rendered(letter), letter.language)
    return emails.assembled(parts, letter, lane, emails.version(letter.template))


def _marked(parts: Parts, language: str) -> Parts:
    with translation.override(language):
        says = _(
            "This is a test that somebody sent to themselves. It is about nobody, and a link to "
            "a check-in in it opens nothing."
        )
    block = f'<p style="margin: 0; padding: 24px 24px 0; font-weight: 600;">{escape(says)}</p>'
    html = re.sub(r"<body[^>]*>", lambda body: body[0] + block, parts.html, count=1)
    return Parts(parts.subject, f"{says}\n\n{parts.text}", html)


@transaction.atomic
def _record(member: Member, by: Actor, now: datetime) -> None:
    """One at a time for each member, so that the count is right."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    lately = AuditEntry.objects.filter(clinic=member.clinic, at__gt=now - PERIOD)
    if lately.filter(member=member, action=ACTION).count() >= AT_MOST:
        raise Refused(
            _("You have had %(n)s tests sent in the last hour. Wait a little.") % {"n": AT_MOST}
        )
    audit.write(by, ACTION, clinic=member.clinic, now=now, subject=member)
