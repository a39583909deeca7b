"""Two clinics on one server: nothing of one is anywhere in what the other can open.

One clinic holds a marker word in everything a person can type. The other clinic's administrator,
and a stranger, then open every page they can reach, and search for what they should not know.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from clinic import enrolment, infusions
from clinic.infusions import InfusionDetails
from clinic.models import Clinic, Course, Member
from reminders import planning
from surveys.models import Alert
from tests.builders import (
    BY_TEST,
    course_details,
    make_clinic,
    make_course,
    make_member,
    patient_details,
)

MARKER = "canarina"
LINK = re.compile(r'(?:href|action)="(/[^"#]*)')
NOW = datetime.now(UTC)


@pytest.fixture
def marked(db: None) -> Clinic:
    """A clinic in which everything typed says so."""
    clinic = make_clinic(f"{MARKER} Clinic", now=NOW)
    details = patient_details(
        name=f"Ana {MARKER}", email=f"ana@{MARKER}.example", mrn=f"{MARKER}-1", phone="432 555 0177"
    )
    course = enrolment.enrol(clinic, details, course_details(), by=BY_TEST, now=NOW)
    given = InfusionDetails(
        started_at=NOW - timedelta(hours=2),
        dose_mg_per_kg=Decimal("0.77"),
        note=f"{MARKER} slept",
        complication=MARKER,
    )
    infusions.log(course, given, by=BY_TEST, now=NOW)
    _alert(course)
    planning.reconcile(course.patient, now=NOW, by=BY_TEST)
    return clinic


def _alert(course: Course) -> Alert:
    return Alert.objects.create(
        clinic=course.patient.clinic,
        reference="CNR-77",
        patient=course.patient,
        level=Alert.Level.URGENT,
        rule="item 9",
        trigger="9=2",
        raised_at=NOW,
    )


@pytest.fixture
def neighbour(marked: Clinic) -> Member:
    """The administrator of another clinic, which has a patient of its own."""
    clinic = make_clinic("South Clinic", now=NOW)
    _alert(make_course(clinic, now=NOW, name="Bea Ruiz"))
    Alert.objects.filter(clinic=clinic).update(reference="OWN-11")
    return make_member(clinic, Member.Role.ADMIN, now=NOW, email="boss@south.example")


def crawl(client: Client, start: str = "/") -> dict[str, str]:
    """Every page that can be reached by following links and by looking at what forms act on."""
    pages: dict[str, str] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in pages or path.startswith("/static/"):
            continue
        response = client.get(path, follow=True)
        pages[path] = response.content.decode()
        waiting += [found.replace("&amp;", "&") for found in LINK.findall(pages[path])]
    return pages


def traces(pages: dict[str, str]) -> list[str]:
    return [
        path
        for path, body in pages.items()
        if any(word in body.casefold() for word in (MARKER, "0177", "0.77", "cnr-77"))
    ]


def test_the_markers_are_there_to_be_found(marked: Clinic, client: Client):
    own = make_member(marked, Member.Role.ADMIN, now=NOW, email="boss@north.example")
    client.force_login(own.user)
    assert len(traces(crawl(client))) > 3


def test_a_neighbour_finds_nothing(neighbour: Member, client: Client):
    client.force_login(neighbour.user)
    pages = crawl(client)
    assert any("Bea Ruiz" in body for body in pages.values())
    assert traces(pages) == []


@pytest.mark.parametrize("text", [MARKER, "Ana", f"ana@{MARKER}.example", f"{MARKER}-1", "0177"])
def test_a_neighbours_search_finds_nothing(neighbour: Member, client: Client, text: str):
    client.force_login(neighbour.user)
    body = client.post("/", {"q": text}).content.decode()
    assert f"Ana {MARKER}" not in body.replace(f'value="{text}"', "")
    assert "/patients/" not in re.sub(r"/patients/enrol/", "", body)


def test_a_stranger_finds_nothing(marked: Clinic, client: Client):
    assert traces(crawl(client)) == []
