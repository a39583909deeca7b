"""Every e-mail as it is written, and a test of it to oneself. No patient is in any of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic.access import StaffRequest, require
from clinic.actors import member_actor
from clinic.refusals import Refused
from dashboards import framing, mail_words, previews
from dashboards.views.policy import as_frame, frames_our_own
from reminders import trying
from reminders.models import Attempt
from reminders.outcomes import Outcome
from reminders.samples import SAMPLES, Sample

LANGUAGES = dict(settings.LANGUAGES)


@require_GET
@require("see patients")
@frames_our_own
def preview(request: StaffRequest) -> HttpResponse:
    sample, language, look = _chosen(request.GET)
    shown = previews.of(sample, language, reader=request.member, now=timezone.now())
    context = {
        "sample": sample,
        "name": previews.NAMES[sample.key],
        "when": previews.WHEN[sample.key],
        "language": language,
        "shown": shown,
        "longest": previews.LONGEST_SUBJECT,
        "largest": previews.LARGEST,
        "frame": f"{reverse('dashboards:mail-frame')}?{_query(sample.key, language, look)}",
        "samples": [
            (name, _query(key, language, look), key == sample.key)
            for key, name in previews.NAMES.items()
        ],
        "languages": [
            (code, LANGUAGES[code], _query(sample.key, code, look), code == language)
            for code in sample.languages
        ],
        "looks": [(name, _query(sample.key, language, key), key == look) for key, name in _looks()],
        "most": trying.AT_MOST,
    }
    return render(request, "dashboards/mail_preview.html", context)


@require_GET
@require("see patients")
def frame(request: StaffRequest) -> HttpResponse:
    """The HTML part by itself, to be shown in a frame."""
    sample, language, look = _chosen(request.GET)
    shown = previews.of(sample, language, reader=request.member, now=timezone.now())
    with translation.override(language):
        note = escape(_("A link in a preview opens nothing."))
    framed = framing.framed(shown.html, look, note)
    return as_frame(framed.html, framed.style_hashes)


@require_POST
@require("send messages")
def send_test(request: StaffRequest) -> HttpResponse:
    """To the signed-in member's own address, whatever the request says."""
    if request.POST.get("mail") not in SAMPLES:
        messages.error(request, _("Choose the e-mail first. Nothing was sent."))
        return redirect("dashboards:mail-preview")
    sample, language, look = _chosen(request.POST)
    by, now = member_actor(request.member), timezone.now()
    try:
        outcome = trying.send_to_oneself(sample, language, by=by, now=now)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        _tell(request, outcome)
    query = _query(sample.key, language, look)
    return redirect(f"{reverse('dashboards:mail-preview')}?{query}")


def _tell(request: StaffRequest, outcome: Outcome) -> None:
    if outcome.came == Attempt.Outcome.ACCEPTED:
        messages.success(request, _("Sent. If it does not arrive within minutes, look in spam."))
    elif outcome.came == Attempt.Outcome.UNKNOWN:
        why = mail_words.said(outcome.error)
        messages.warning(request, _("Nobody knows whether it went: %(why)s.") % {"why": why})
    else:
        why = mail_words.said(outcome.error)
        messages.error(request, _("It was not sent: %(why)s.") % {"why": why})


def _chosen(asked: Mapping[str, Any]) -> tuple[Sample, str, str]:
    """What is asked for in words that we know; for the rest, the first of each."""
    sample = SAMPLES.get(str(asked.get("mail")), SAMPLES["invitation"])
    language, look = asked.get("language"), asked.get("look")
    return (
        sample,
        str(language) if language in sample.languages else sample.languages[0],
        str(look) if look in framing.LOOKS else framing.LOOKS[0],
    )


def _looks() -> list[tuple[str, str]]:
    names = (_("Light"), _("Dark"), _("Without styles"))
    return list(zip(framing.LOOKS, names, strict=True))


def _query(sample: str, language: str, look: str) -> str:
    return urlencode({"mail": sample, "language": language, "look": look})
