"""What the walks need in the demo's database, made for each screen anew."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from clinic import invitations
from clinic.models import Clinic, Course, Member, Patient
from clinic.models.patients import BIRTH_DATE_TRIES
from reminders.models import Message, State, Suppression
from reminders.suppression import address_digest, suppress
from surveys import alerts, links
from surveys.models import Alert, FollowUp
from tests.builders import BY_TEST, make_course, make_member
from tests.surveys.ends import call, close
from tests.surveys.follow_ups import HOURS, answer_all, make_follow_up
from tests.surveys.histories import DAY, allow_own_trend, answered, begin, missed

# Every kind of screen: ticks with red flags, severities, a scale, choices with a safety item.
EVERYTHING = ("checkin", "mood", "nrs24", "phq9")
_NAMES = {"en": "Marigold Fennimore", "es": "Caléndula Robledo"}
_numbers = count(1)


def clinic() -> Clinic:
    return Clinic.objects.get()


def course(language: str) -> Course:
    """A patient without an address, so that the engine leaves them to the walk."""
    number = next(_numbers)
    born = date(1960, 1, 1) + timedelta(days=number)
    details = {"name": _NAMES[language], "birth_date": born, "mrn": f"SWEEP-{born}", "email": ""}
    return make_course(clinic(), now=timezone.now(), language=language, phone="", **details)


def open_follow_up(language: str, instruments: Sequence[str] = EVERYTHING) -> FollowUp:
    return make_follow_up(course(language), instruments, now=timezone.now())


def reachable(language: str) -> FollowUp:
    """Of a patient with an address."""
    follow_up = open_follow_up(language, ("phq9",))
    follow_up.patient.email = new_address()
    follow_up.patient.save(update_fields=["email"])
    return follow_up


def late_follow_up(language: str) -> FollowUp:
    now = timezone.now()
    return make_follow_up(
        course(language), ("phq9",), now=now, opens=-60 * HOURS, closes=-1 * HOURS
    )


def answered_follow_up(language: str) -> FollowUp:
    follow_up = open_follow_up(language, ("phq9",))
    answer_all(follow_up, now=timezone.now())
    return follow_up


@transaction.atomic
def follow_up_after_a_start(language: str) -> FollowUp:
    """Open now, with a baseline, answers and one silence behind it."""
    now, of, asked = timezone.now(), course(language), ("phq9", "nrs7:average")
    allow_own_trend(of.patient.clinic)
    begin(of, asked, at=now - 41 * DAY)
    answered(of, asked, at=now - 35 * DAY, value=2, i1=1, i2=0)
    answered(of, asked, at=now - 28 * DAY, value=1, i1=3)
    missed(of, asked, at=now - 21 * DAY)
    answered(of, asked, at=now - 14 * DAY, value=1, i3=2)
    answered(of, asked, at=now - 7 * DAY, value=1)
    return make_follow_up(of, asked, now=now)


def answer_as_before(follow_up: FollowUp) -> None:
    answer_all(follow_up, now=timezone.now(), value=1, i9=0, i2=0, send=False)


def lock_birth_date(patient: Patient) -> None:
    Patient.objects.filter(pk=patient.pk).update(wrong_birth_dates=BIRTH_DATE_TRIES)


def link(follow_up: FollowUp) -> str:
    return f"/s/{links.token(follow_up)}/"


def unsubscribe_link(follow_up: FollowUp) -> str:
    return f"/u/{links.token(follow_up, 'unsubscribe')}/"


def new_address() -> str:
    return f"new-{next(_numbers)}@lanternfield.example"


def unclear_message() -> Message:
    """One of the demo's own that is still open, as a provider that hung up would leave it."""
    found = Message.objects.filter(state=State.UNKNOWN).first()
    if found is not None:
        return found
    now = timezone.now()
    waiting = {"finished_at": None, "started_at": None, "withdrawn_at": None}
    asked = Message.objects.filter(
        state=State.ACCEPTED,
        follow_up__closes_at__gt=now,
        **{f"follow_up__{name}": value for name, value in waiting.items()},
    )
    message = asked.latest("accepted_at")
    unclear = {"outcome": "unknown", "error": "AnymailRequestsAPIError from ReadTimeout"}
    message.attempt_rows.update(**unclear)
    Message.objects.filter(pk=message.pk).update(
        state=State.UNKNOWN, accepted_at=None, reason=unclear["error"]
    )
    message.follow_up.messages.exclude(pk=message.pk).update(accepted_at=message.due_at)
    return message


def troubled_addresses() -> Patient:
    """Addresses that fail in each way, a name from right to left and a very long one among them."""
    now = timezone.now()
    active = Patient.objects.exclude(email="").filter(status="active").order_by("enrolled_at")
    names = ("", "ليلى بنت عبد الرحمن", "Wolfeschlegelsteinhausenbergerdorff" * 2, "", "")
    for patient, reason, name in zip(active, Suppression.Reason, names, strict=False):
        if name:
            patient.name = name
            patient.save(update_fields=["name"])
        suppress(patient, address_digest(patient.email), reason, now=now - timedelta(days=9))
    return Patient.objects.get(pk=active[0].pk)


def delivered_message() -> Message:
    """Of the patient with the longest history, the last one that was answered."""
    answered = Message.objects.filter(state=State.ACCEPTED, follow_up__finished_at__isnull=False)
    return answered.latest("accepted_at")


def viewer() -> str:
    """Whose password is the one that all of the demo's staff have."""
    return Member.objects.filter(role=Member.Role.VIEWER).earliest("joined_at").user.email


def invitation() -> str:
    now = timezone.now()
    member = make_member(clinic(), Member.Role.VIEWER, now=now, email=new_address())
    member.user.set_unusable_password()
    member.user.save(update_fields=["password"])
    return invitations.invite(member, by=BY_TEST, now=now)


def one_of_each_protocol() -> dict[str, Patient]:
    """Those with the most answers, because their pages show the most."""
    answers = Count("patient__follow_ups__responses")
    courses = Course.objects.select_related("protocol", "patient").annotate(answers=answers)
    return {course.protocol.key: course.patient for course in courses.order_by("answers")}


def alerts_in_each_state() -> dict[str, Alert]:
    """As the demo's history left them."""
    known = Alert.objects.about_patients().order_by("-raised_at")
    held = known.open().filter(owner__isnull=False)
    return {
        "open": known.untaken()[0],
        "taken": held.filter(offered_to=None, closing_by=None)[0],
        "handed-over": held.filter(offered_to__isnull=False)[0],
        "to-confirm": held.filter(closing_by__isnull=False)[0],
        "closed": known.filter(outcome=Alert.Outcome.SPOKE, closed_at__isnull=False)[0],
    }


def alert_left_waiting() -> Alert:
    """Critical, and nobody came for half a day."""
    follow_up = open_follow_up("en", ("mood",))
    return alerts.help_now(follow_up, by=BY_TEST, now=timezone.now() - timedelta(hours=13))


def cared_for(alert: Alert) -> None:
    """So that the pages of the other walks are as they were."""
    now, who = timezone.now(), clinic().members.filter(role=Member.Role.CLINICIAN)[0]
    call(alert, "reached", by=who, at=now)
    close(alert, "spoke", by=who, now=now)
