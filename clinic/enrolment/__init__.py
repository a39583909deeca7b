"""Clinics, patients and courses: every verb that begins, changes or ends one.

Each verb checks who acts (those of `wishes.py` are the patient's own), locks the patient, refuses
the impossible in words for the screen (`clinic/refusals.py`), tells the planner that the facts
changed, and writes its audit entry in the same transaction. All may be called twice.
They return the row as it now is.
"""

from clinic.enrolment.clinics import open_clinic
from clinic.enrolment.courses import close_course, open_course
from clinic.enrolment.details import TRUSTED, CourseDetails, PatientDetails
from clinic.enrolment.patients import change_details, enrol
from clinic.enrolment.status import mark_deceased, pause, reinstate, resume, withdraw
from clinic.enrolment.wishes import end_own_pause, is_own_pause, pause_own, prefer

__all__ = [
    "TRUSTED",
    "CourseDetails",
    "PatientDetails",
    "change_details",
    "close_course",
    "end_own_pause",
    "enrol",
    "is_own_pause",
    "mark_deceased",
    "open_clinic",
    "open_course",
    "pause",
    "pause_own",
    "prefer",
    "reinstate",
    "resume",
    "withdraw",
]
