"""How check-ins go: whether they are sent, how long they take, and where people stop."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from clinic import audit
from clinic.access import StaffRequest, require
from dashboards import queries


@require_GET
@require("see patients")
def check_ins(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    audit.read(request.member, None, "check-ins", now=now)
    found = queries.check_ins(request.member.clinic, now=now)
    return render(request, "dashboards/check_ins.html", {"found": found})
