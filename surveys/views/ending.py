"""After sending."""

from django.http import HttpRequest, HttpResponse

from surveys import cover
from surveys.models import StepDue
from surveys.reading_back import own_trends
from surveys.views.frame import Here, own_page, see_other, show, with_pass
from surveys.wording import day_words


@with_pass("GET", "HEAD", "POST")
def sent(request: HttpRequest, here: Here) -> HttpResponse:
    """Sent, who reads it, and when the next one comes. Safe to reload and to bookmark."""
    if here.follow_up.finished_at is None:
        return see_other("surveys:onward")
    return show(
        request,
        "sent",
        here,
        sent_on=day_words(here.follow_up.finished_at.astimezone(here.follow_up.patient.tz)),
        has_trend=bool(own_trends(here.follow_up, now=here.now)),
        next_on=_next_on(here),
        is_always_read=cover.cover_of(here.clinic, now=here.now) == "always",
        is_told=here.follow_up.alerts.exists(),
        own_page=own_page(here.follow_up),
    )


def _next_on(here: Here) -> str:
    """The day of the next follow-up, as far as it is planned."""
    patient = here.follow_up.patient
    planned = StepDue.objects.filter(
        course__patient=patient, state=StepDue.State.PLANNED, send_at__gt=here.now
    ).order_by("send_at")
    first = planned.values_list("send_at", flat=True).first()
    return day_words(first.astimezone(patient.tz)) if first else ""
