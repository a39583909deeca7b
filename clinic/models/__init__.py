"""Who and what happened: staff, clinics, patients, courses, infusions, and the audit trail."""

from clinic.models.audit import AuditEntry
from clinic.models.courses import Course, Indication, Infusion
from clinic.models.definitions import Definition
from clinic.models.patients import Patient, SearchKey
from clinic.models.staff import Clinic, Member, User

__all__ = [
    "AuditEntry",
    "Clinic",
    "Course",
    "Definition",
    "Indication",
    "Infusion",
    "Member",
    "Patient",
    "SearchKey",
    "User",
]
