"""Which role may do what, and whose rows it sees."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory

from clinic import access
from clinic.models import Clinic, Course, Infusion, Member, Patient
from tests.builders import make_course

ROLES = list(Member.Role)  # admin, clinician, coordinator, viewer
TABLE = """
see patients             yes yes yes yes
see scores               yes yes no  yes
see safety               yes yes no  no
edit patients            yes yes yes no
end follow-up            yes yes yes no
reinstate patients       yes yes no  no
log infusion             yes yes yes no
record clinical details  yes yes no  no
send messages            yes yes yes no
take alert               yes yes no  no
enter answers            yes yes no  no
set up clinic            yes no  no  no
"""
ROWS = [line.rsplit(maxsplit=4) for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("permission", "answers"), [(row[0], row[1:]) for row in ROWS])
def test_the_roles(permission, answers):
    said = ["yes" if access.may(Member(role=role), permission) else "no" for role in ROLES]
    assert said == answers


def test_the_table_above_is_whole():
    assert [row[0] for row in ROWS] == list(access.PERMISSIONS)


def test_a_member_who_left_may_nothing():
    gone = Member(role=Member.Role.ADMIN, active=False)
    assert not any(access.may(gone, permission) for permission in access.PERMISSIONS)


@access.require("set up clinic")
def page(request: access.StaffRequest) -> HttpResponse:
    return HttpResponse(request.member.clinic.name)


@pytest.mark.parametrize("who", ["clinician", "coordinator", "viewer", None])
def test_a_page_asks_for_its_permission(request, clinic, who):
    asked = RequestFactory().get("/")
    asked.member = request.getfixturevalue(who) if who else None
    with pytest.raises(PermissionDenied):
        page(asked)


def test_a_page_opens_for_whom_it_is(admin):
    asked = RequestFactory().get("/")
    asked.member = admin
    assert page(asked).content == b"North Clinic"


def test_rows_of_another_clinic_do_not_exist(course, admin, other_clinic_admin):
    for model in (Patient, Course, Infusion):
        assert not model.objects.visible_to(other_clinic_admin).exists()
        assert not model.objects.visible_to(other_clinic_admin.user).exists()
    assert Patient.objects.visible_to(admin).get() == course.patient
    assert Course.objects.visible_to(admin.user).get() == course


def test_who_works_in_two_clinics_sees_one_at_a_time(course, admin, other_clinic, now):
    make_course(other_clinic, now=now)
    elsewhere = Member.objects.create(
        clinic=other_clinic, user=admin.user, role=Member.Role.VIEWER, joined_at=now
    )
    assert Patient.objects.visible_to(admin).get().clinic == course.patient.clinic
    assert Patient.objects.visible_to(elsewhere).get().clinic == other_clinic
    assert Patient.objects.visible_to(admin.user).count() == 2


@pytest.mark.parametrize("off", ["member", "user"])
def test_who_left_sees_nothing(course, clinician, off):
    if off == "member":
        Member.objects.filter(pk=clinician.pk).update(active=False)
    else:
        clinician.user.is_active = False
        clinician.user.save()
    assert not Patient.objects.visible_to(clinician).exists()
    assert not Patient.objects.visible_to(clinician.user).exists()
    assert not Clinic.objects.of(clinician).exists()
