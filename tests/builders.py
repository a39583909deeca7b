"""Build what a test needs, with honest defaults and nothing random."""

from datetime import date, datetime
from typing import Any

from clinic import actors, consent, enrolment
from clinic.enrolment import CourseDetails, PatientDetails
from clinic.models import Clinic, Course, Indication, Member, User

PASSWORD = "correct horse battery staple"
BY_TEST = actors.system("test")


def make_clinic(name: str, *, now: datetime, zone: str = "America/Chicago") -> Clinic:
    slug = name.split()[0].lower()
    return enrolment.open_clinic(
        name, zone=zone, admin_email=f"admin@{slug}.example", by=BY_TEST, now=now
    ).clinic


def make_member(clinic: Clinic, role: Member.Role, *, now: datetime, email: str = "") -> Member:
    slug = clinic.name.split()[0].lower()
    user = User.objects.create_user(email or f"{role}@{slug}.example", PASSWORD, name=role.title())
    return Member.objects.create(clinic=clinic, user=user, role=role, joined_at=now)


def patient_details(**changes: Any) -> PatientDetails:
    defaults: dict[str, Any] = {
        "name": "Ana Lucía Peña",
        "birth_date": date(1984, 3, 5),
        "consent_version": consent.CURRENT,
        "email": "ana@example.com",
        "phone": "(432) 555-0100",
        "mrn": "MRN-1001",
    }
    return PatientDetails(**{**defaults, **changes})


def course_details(**changes: Any) -> CourseDetails:
    defaults: dict[str, Any] = {
        "protocol": "depression-induction",
        "indication": Indication.DEPRESSION,
        "planned_infusions": 6,
    }
    return CourseDetails(**{**defaults, **changes})


def make_course(clinic: Clinic, *, now: datetime, **changes: Any) -> Course:
    """A course of a new patient; `changes` are details of the patient."""
    return enrolment.enrol(
        clinic, patient_details(**changes), course_details(), by=BY_TEST, now=now
    )
