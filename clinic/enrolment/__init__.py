"""Clinics, patients and courses: every verb that begins, changes or ends one.

Each verb checks who acts, locks the patient, refuses the impossible in words for the screen
(`clinic/refusals.py`), tells the planner that the facts changed, and writes its audit entry in the
same transaction. All may be called twice. They return the row as it now is.
"""

from clinic.enrolment.clinics import open_clinic
from clinic.enrolment.courses import close_course, open_course
from clinic.enrolment.details import CourseDetails, PatientDetails
from clinic.enrolment.patients import change_details, enrol
from clinic.enrolment.status import mark_deceased, pause, reinstate, resume, withdraw

__all__ = [
    "CourseDetails",
    "PatientDetails",
    "change_details",
    "close_course",
    "enrol",
    "mark_deceased",
    "open_clinic",
    "open_course",
    "pause",
    "reinstate",
    "resume",
    "withdraw",
]
