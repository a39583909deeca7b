"""For a hundred random protocols and histories, the dry run is what the engine then sends.

Production's own verbs, planner, dispatch and settling are driven from instant to instant; only
the clock is ours.
"""

from datetime import datetime

import pytest

from clinic import enrolment, infusions
from clinic.infusions import InfusionDetails
from clinic.models import Clinic, Course, Definition, Infusion, Patient
from reminders import dispatch, planning
from reminders.dry_run import ANSWERED_AFTER, Event, dry_run
from reminders.models import Message, State
from reminders.schedule import InfusionFacts
from surveys.models import FollowUp, Response, StepDue
from tests.builders import BY_TEST, course_details, patient_details
from tests.reminders.random_histories import History, history

Line = tuple[datetime, str, int, tuple[str, ...]]


def begin(clinic: Clinic, told: History, n: int) -> Course:
    """The patient, the course and what is planned from the start."""
    if told.cover == "none":
        clinic.members.update(is_responder=False)
    clinic.cover = "weekdays" if told.cover == "weekdays" else "always"
    clinic.save(update_fields=["cover"])
    Definition.objects.create(
        kind="protocol", key=f"random-{n}", version="1", sha256="0" * 64, text=told.protocol,
        clinic=clinic, recorded_at=told.enrolled,
    )  # fmt: skip
    person = patient_details(
        email=f"p{n}@example.com", mrn=f"M-{n}", zone=told.zone, send_hour=told.send_hour,
        allowed_days=told.allowed_days,
    )  # fmt: skip
    given = course_details(protocol=f"random-{n}", planned_infusions=told.planned_count)
    course = enrolment.enrol(clinic, person, given, by=BY_TEST, now=told.enrolled)
    for start, kind in told.infusions:
        if kind != "completed":
            ahead = InfusionDetails(started_at=start, status=Infusion.Status.PLANNED)
            infusions.log(course, ahead, by=BY_TEST, now=told.enrolled)
    return course


def foretold(course: Course, told: History) -> list[Line]:
    """By the dry run, from the same facts."""
    facts = planning.facts_of(course.patient, now=told.enrolled)
    planned = {i.started_at: i for i in facts.courses[0].infusions}
    events = [Event(told.enrolled)]
    for start, kind in told.infusions:
        if kind == "completed":
            events.append(Event(start, InfusionFacts(f"given {start}", start, "completed", start)))
        elif kind == "cancelled":
            row = planned[start]
            events.append(Event(start, InfusionFacts(row.id, start, "cancelled", row.recorded_at)))
    run = dry_run(facts, events, told.until, told.answered)
    return [(s.at, s.message.kind, s.message.nth, tuple(sorted(s.message.steps))) for s in run.sent]


def sent_by_the_engine(course: Course, told: History) -> list[Line]:
    now: datetime | None = told.enrolled
    lines: list[Line] = []
    answers: list[tuple[datetime, FollowUp]] = []
    while now is not None and now < told.until:
        happen(course, told, now)
        for at, follow_up in [pair for pair in answers if pair[0] <= now]:
            answers.remove((at, follow_up))
            answer(follow_up, now)
        for message in go(course, now):
            lines.append(line(message))
            if told.answered == "all":
                answers.append((now + ANSWERED_AFTER, message.follow_up))
        now = min((at for at in later(course, told, answers) if at > now), default=None)
    return lines


def happen(course: Course, told: History, now: datetime) -> None:
    """What staff do at this instant."""
    for start, kind in told.infusions:
        if start == now and kind == "completed":
            infusions.log(course, InfusionDetails(started_at=start), by=BY_TEST, now=now)
        elif start == now and kind == "cancelled":
            row = course.infusions.get(started_at=start)
            infusions.cancel(row, "called off", by=BY_TEST, now=now)


def go(course: Course, now: datetime) -> list[Message]:
    """Tick and drain until nothing is left to do at this instant."""
    done: list[Message] = []
    while True:
        planning.reconcile_lagging(now=now)
        waiting = course.patient.messages.filter(state=State.SCHEDULED, due_at__lte=now)
        if not waiting.exists():
            return done
        dispatch.drain(clock=lambda: now)
        accepted = course.patient.messages.filter(state=State.ACCEPTED, accepted_at=now)
        done += [message for message in accepted if message not in done]


def line(message: Message) -> Line:
    """With the steps that were asked for, as the database has them right after sending."""
    steps = [
        due.step
        for due in message.follow_up.dues.filter(state="asked", closes_at__gt=message.accepted_at)
        if not message.nth or message.nth in reminder_days(due)
    ]
    return message.accepted_at, message.kind, message.nth, tuple(sorted(steps))


def reminder_days(due: StepDue) -> tuple[int, ...]:
    return planning.protocol_of(due.course).step(due.step).reminder_days


def answer(follow_up: FollowUp, now: datetime) -> None:
    """The patient answers everything that is asked, if the link is still good."""
    follow_up = FollowUp.objects.get(pk=follow_up.pk)
    if follow_up.withdrawn_at or follow_up.finished_at or follow_up.closes_at <= now:
        return
    names = [name for due in follow_up.dues.all() for name in due.instruments]
    for key in dict.fromkeys(name.partition(":")[0] for name in names):
        Response.objects.create(
            patient=follow_up.patient, follow_up=follow_up, language="en",
            instrument=Definition.objects.get(kind="instrument", key=key),
            wording_sha256="0" * 64, started_at=now, finished_at=now,
        )  # fmt: skip
    FollowUp.objects.filter(pk=follow_up.pk).update(started_at=now, finished_at=now)
    Course.objects.filter(patient=follow_up.patient_id).touch(now)


def later(course: Course, told: History, answers) -> list[datetime]:
    waiting = course.patient.messages.filter(state=State.SCHEDULED)
    looking = Course.objects.filter(pk=course.pk, replan_at__isnull=False)
    return [
        *(start for start, _ in told.infusions),
        *(at for at, _ in answers),
        *waiting.values_list("due_at", flat=True),
        *looking.values_list("replan_at", flat=True),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100))
def test_the_dry_run_is_what_the_engine_sends(seed, staffed, mailoutbox):
    told = history(seed)
    course = begin(staffed, told, seed)
    expected = foretold(course, told)
    assert sent_by_the_engine(course, told) == expected
    assert len(mailoutbox) == len(expected)
    assert Patient.objects.count() == 1
