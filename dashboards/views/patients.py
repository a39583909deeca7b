"""The patient list, and finding one patient."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clinic import audit, search
from clinic.access import StaffRequest, require
from clinic.models import Course, Indication, Patient
from dashboards import queries
from dashboards.rows import grouped
from dashboards.rows.worklist import GROUPS
from surveys import cover

FOLLOWED = ("active", "paused")
PER_PAGE = 60  # of those for whom nothing is waiting; everybody else is on the first page


@require_http_methods(["GET", "HEAD", "POST"])
@require("see patients")
def patients(request: StaffRequest) -> HttpResponse:
    """Everybody, grouped by what needs a person. A search comes by POST: its words are names."""
    if request.method == "POST":
        return _found(request)
    now = timezone.now()
    clinic = request.member.clinic
    audit.read(request.member, None, "patient list", now=now)
    chosen = Patient.objects.visible_to(request.member)
    ended = request.GET.get("ended") == "1"
    chosen = chosen.exclude(status__in=FOLLOWED) if ended else chosen.filter(status__in=FOLLOWED)
    if (indication := request.GET.get("indication", "")) in Indication.values:
        chosen = chosen.filter(
            pk__in=Course.objects.filter(indication=indication).values("patient")
        )
    rows = queries.worklist(request.member, chosen, now=now)
    show = request.GET.get("show", "")
    groups = grouped(rows)
    context = {
        "groups": [group for group in groups if show in ("", group.key)],
        "counts": groups,
        "page": Paginator(groups[-1].rows, PER_PAGE).get_page(request.GET.get("page")),
        "show": show if show in GROUPS else "",
        "ended": ended,
        "indication": indication,
        "indications": Indication.choices,
        "total": len(rows),
        "is_new": not rows and not clinic.patients.exists(),
        "open_alerts": queries.open_alert_count(clinic),
        "cover": cover.cover_of(clinic, now=now),
        "now": now,
    }
    return render(request, "dashboards/patients.html", context)


def _found(request: StaffRequest) -> HttpResponse:
    now, text = timezone.now(), request.POST.get("q", "").strip()
    audit.read(request.member, None, "search", now=now)
    fitting = search.find(request.member.clinic, text)
    found = Patient.objects.visible_to(request.member).filter(pk__in=fitting)
    rows = queries.worklist(request.member, found, now=now)
    if len(rows) == 1:
        return redirect("dashboards:patient", rows[0].id)
    context = {
        "searched_for": text,
        "rows": sorted(rows, key=lambda row: row.name.casefold()),
        "now": now,
    }
    return render(request, "dashboards/found.html", context)
