"""What cannot be done, in words for the person who asked."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinic.models import Patient


class Refused(Exception):
    """A verb that cannot be carried out. `str()` is a sentence for the screen; `field` names the
    input it is about, if one is."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class AlreadyEnrolled(Refused):
    """The clinic follows this person already."""

    def __init__(self, message: str, patient: "Patient", *, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.patient = patient


class Ended(Refused):
    """The patient has withdrawn or died, or the course is closed."""


class Conflicting(Refused):
    """Something else is recorded in that place already."""
