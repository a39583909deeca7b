"""Every address for every role: the table in `routes.toml` against the resolver and the pages.

A new view without its line fails here. Write one line into the table: what each role gets by GET
and by an empty POST; `args` names what the address needs, made in `World` below.
"""

import tomllib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from clinic import infusions, invitations
from clinic.infusions import InfusionDetails
from clinic.models import AuditEntry, Clinic, Course, Member
from reminders.models import Message, State
from surveys import links
from surveys.models import Alert, FollowUp
from tests.builders import BY_TEST, make_clinic, make_course, make_member

TABLE: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "routes.toml").read_text()
)
PEOPLE = ("admin", "clinician", "coordinator", "viewer", "other", "anonymous")
SIGN_IN = "/accounts/login/"
UNUSED = ("put", "patch", "delete")
REFUSALS = {302, 400, 403, 404, 405, 410}


@dataclass
class World:
    """One clinic with everything an address can be about, and another clinic."""

    now: datetime
    clinic: Clinic
    course: Course
    users: dict[str, Member]

    def arg(self, name: str) -> str:
        return str(self._makers()[name]())

    def _makers(self) -> dict[str, Callable[[], object]]:
        return {
            "patient": lambda: self.course.patient_id,
            "course": lambda: self.course.pk,
            "infusion": self._infusion,
            "member": lambda: self.users["viewer"].pk,
            "alert": lambda: self._alert().pk,
            "message": lambda: self._message().pk,
            "follow_up": lambda: self._follow_up().pk,
            "token": lambda: links.token(self._follow_up()),
            "unsubscribe": lambda: links.token(self._follow_up(), "unsubscribe"),
            "uid": lambda: self._invitation()[-3],
            "invitation": lambda: self._invitation()[-2],
            "place": lambda: 1,
            "rest": lambda: "x",
            "uidb36": lambda: "1",
            "key": lambda: "set-password",
        }

    def _infusion(self) -> uuid.UUID:
        details = InfusionDetails(started_at=self.now - timedelta(days=1))
        return infusions.log(self.course, details, by=BY_TEST, now=self.now).pk

    def _follow_up(self) -> FollowUp:
        pk = uuid.UUID(int=1)
        window = {"opens_at": self.now, "send_at": self.now}
        window["closes_at"] = self.now + timedelta(days=2)
        fields = {"patient": self.course.patient, "local_date": self.now.date(), **window}
        nonce = links.new_link(pk)
        wanted = {name: getattr(nonce, name) for name in nonce.__slots__}
        return FollowUp.objects.get_or_create(pk=pk, defaults={**fields, **wanted})[0]

    def _message(self) -> Message:
        """One of which nobody knows whether it arrived."""
        return Message.objects.create(
            clinic=self.clinic,
            patient=self.course.patient,
            follow_up=self._follow_up(),
            kind=Message.Kind.FRESH_LINK,
            nth=Message.objects.count(),
            state=State.UNKNOWN,
            due_at=self.now,
            not_after=self.now + timedelta(days=2),
            created_at=self.now,
        )

    def _alert(self) -> Alert:
        return Alert.objects.create(
            clinic=self.clinic,
            reference="7F3K-21",
            patient=self.course.patient,
            level=Alert.Level.URGENT,
            rule="item 9",
            trigger="9=2",
            raised_at=self.now,
        )

    def _invitation(self) -> list[str]:
        member = self.clinic.members.get(user__email="admin@north.example")
        if not hasattr(self, "_link"):
            self._link = invitations.invite(member, by=BY_TEST, now=self.now)
        return self._link.split("/")


@pytest.fixture
def world(db: None) -> World:
    now = timezone.now()
    north, south = make_clinic("North Clinic", now=now), make_clinic("South Clinic", now=now)
    users = {
        role: make_member(north, Member.Role(role), now=now, email=f"{role}@here.example")
        for role in PEOPLE[:4]
    }
    users["other"] = make_member(south, Member.Role.ADMIN, now=now, email="other@there.example")
    return World(now, north, make_course(north, now=now), users)


def names(patterns: list[Any], space: str = "") -> Iterator[str]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from names(entry.url_patterns, inner)
        elif isinstance(entry, URLPattern):
            yield f"{space}{entry.name}"


def every_name() -> list[str]:
    return list(names(get_resolver().url_patterns))


def line_of(name: str) -> dict[str, Any] | None:
    return next((line for pattern, line in TABLE.items() if fnmatch(name, pattern)), None)


def test_every_route_has_its_line_and_every_line_its_route():
    assert [name for name in every_name() if line_of(name) is None] == []
    assert all(line.get("machine") or {"get", "post"} <= line.keys() for line in TABLE.values())
    assert [line for line in TABLE if not any(fnmatch(name, line) for name in every_name())] == []


LISTED = [name for name in every_name() if "get" in (line_of(name) or {})]


def ask(world: World, person: str, method: str, path: str) -> HttpResponse:
    """What this person gets. What the request wrote is undone."""
    client = Client(raise_request_exception=True)
    with transaction.atomic():
        if person != "anonymous":
            client.force_login(world.users[person].user)
        response = getattr(client, method)(path)
        response.content  # noqa: B018  a lazy body is rendered while its rows exist
        transaction.set_rollback(True)
    return response


def told(response: HttpResponse) -> str:
    """The status; "in" for being asked to sign in."""
    location = response.headers.get("Location", "")
    return "in" if location.split("?")[0] == SIGN_IN else str(response.status_code)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", LISTED)
def test_each_role_gets_what_the_table_says(world: World, name: str, method: str):
    line = line_of(name)
    assert line
    path = reverse(name, args=[world.arg(arg) for arg in line.get("args", [])])
    got = [told(ask(world, person, method, path)) for person in PEOPLE]
    expected = line[method].split()
    assert dict(zip(PEOPLE, got, strict=True)) == dict(
        zip(PEOPLE, expected * (6 // len(expected)), strict=True)
    )


@pytest.mark.parametrize("name", LISTED)
def test_no_other_method_does_anything(world: World, name: str):
    line = line_of(name)
    assert line
    path = reverse(name, args=[world.arg(arg) for arg in line.get("args", [])])
    assert {ask(world, "admin", method, path).status_code for method in UNUSED} <= REFUSALS


WITH_KEYS = [
    name
    for name in LISTED
    if {"patient", "course", "infusion", "alert", "message", "follow_up"}
    & set((line_of(name) or {}).get("args", []))
]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", WITH_KEYS)
def test_another_clinics_object_looks_like_none(world: World, name: str, method: str):
    args = (line_of(name) or {})["args"]
    theirs = ask(world, "other", method, reverse(name, args=[world.arg(arg) for arg in args]))
    unknown = [world.arg(arg) if arg == "place" else str(uuid.uuid4()) for arg in args]
    nothing = ask(world, "other", method, reverse(name, args=unknown))
    assert theirs.status_code == nothing.status_code
    assert theirs.content == nothing.content


@pytest.mark.parametrize("name", WITH_KEYS)
def test_a_look_at_a_patient_is_on_record(world: World, client: Client, name: str):
    line = line_of(name) or {}
    path = reverse(name, args=[world.arg(arg) for arg in line["args"]])
    client.force_login(world.users["admin"].user)
    before = AuditEntry.objects.count()
    if client.get(path).status_code != 200:
        return
    entries = AuditEntry.objects.order_by("pk")[before:]
    assert {(entry.patient_id, entry.member_id) for entry in entries} == {
        (world.course.patient_id, world.users["admin"].pk)
    }
    assert all(entry.action.startswith("read ") for entry in entries)
