"""Many random patients who live at the same time, by the dry run and by the engine.

Production's own verbs, planner, dispatch and settling are driven from instant to instant; only
the clock is ours.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min

from clinic import enrolment, infusions
from clinic.infusions import InfusionDetails
from clinic.models import Clinic, Course, Definition, Infusion, Member
from reminders import dispatch, planning, suppression
from reminders.dry_run import ANSWERED_AFTER, DryRun, Event, dry_run
from reminders.models import Message, State
from reminders.schedule import InfusionFacts
from reminders.schedule.clock import allowed_days
from surveys.models import Alert, FollowUp, Response
from tests.builders import BY_TEST, course_details, make_clinic, make_member, patient_details
from tests.reminders.random_histories import Act, History

Line = tuple[datetime, str, int, tuple[str, ...]]
LEAVE, BEGIN, ACT, ANSWER = range(4)  # in this order at one instant

# Zone, cover, quiet hours, days: what the patients of one clinic share.
CLINICS: list[tuple[str, str, tuple[time, time], list[int]]] = [
    ("America/Chicago", "always", (time(21), time(8)), []),
    ("America/Denver", "weekdays", (time(21), time(8)), []),
    ("Europe/Madrid", "none", (time(20, 30), time(9, 15)), []),
    ("Asia/Kolkata", "always", (time(12), time(14)), [0, 1, 2, 3, 4]),
    ("Australia/Lord_Howe", "weekdays", (time(23), time(2, 15)), [0, 2, 3, 5]),
    ("America/Santiago", "always", (time(0), time(8, 30)), [1]),
]


def make_clinics(now: datetime) -> list[Clinic]:
    """Each with a responder who takes a test alert every other month, if it has cover."""
    return [_clinic(n, now, *given) for n, given in enumerate(CLINICS)]


def _clinic(n: int, now: datetime, zone: str, cover: str, quiet: Any, days: list[int]) -> Clinic:
    clinic = make_clinic(f"C{n} Clinic", now=now, zone=zone)
    clinic.cover = "always" if cover == "always" else "weekdays"
    clinic.quiet_from, clinic.quiet_until = quiet
    clinic.allowed_days = days
    clinic.save()
    member = make_member(clinic, Member.Role.CLINICIAN, now=now)
    Member.objects.filter(pk=member.pk).update(is_responder=cover != "none")
    for month in range(-2, 10):
        taken = now + month * timedelta(days=45)
        Alert.objects.create(
            clinic=clinic, reference=f"T{n}-{month}", level="review", rule=Alert.TEST_RULE,
            trigger="test", raised_at=taken, owner=member, taken_at=taken, closed_at=taken,
        )  # fmt: skip
    return clinic


@dataclass
class Life:
    """One history while the engine lives it."""

    told: History
    clinic: Clinic
    course: Course = field(init=False)
    infusions: dict[int, Infusion] = field(default_factory=dict)
    foretold: list[Line] = field(default_factory=list)
    sent: list[Line] = field(default_factory=list)
    received: set[Any] = field(default_factory=set)

    def begin(self) -> None:
        told = self.told
        name = f"random-{told.seed}"
        Definition.objects.create(
            kind="protocol", key=name, version="1", sha256="0" * 64, text=told.protocol,
            clinic=self.clinic, recorded_at=told.enrolled,
        )  # fmt: skip
        person = patient_details(
            name=name, email=f"p{told.seed}@example.com", mrn=name, zone=told.zone,
            send_hour=told.send_hour, allowed_days=told.allowed_days,
        )  # fmt: skip
        given = course_details(protocol=name, planned_infusions=told.planned_count)
        self.course = enrolment.enrol(self.clinic, person, given, by=BY_TEST, now=told.enrolled)
        self.foretold = list(self._foretell())

    def _foretell(self) -> Iterable[Line]:
        facts = planning.facts_of(self.course.patient, now=self.told.enrolled)
        told = Telling(self.clinic)
        events = [Event(self.told.enrolled), *map(told.event, self.told.acts)]
        run: DryRun = dry_run(facts, events, self.told.until, self.told.answered)
        for each in run.sent:
            message = each.message
            yield each.at, message.kind, message.nth, tuple(sorted(message.steps))

    def happen(self, act: Act) -> None:
        """What staff do, by the verb they do it with."""
        patient, told = self.course.patient, {"by": BY_TEST, "now": act.at}
        if act.verb in ("plan", "give", "move", "cancel"):
            self._of_infusion(act, **told)
        elif act.verb == "pause":
            enrolment.pause(patient, until=act.to, **told)
        elif act.verb == "resume":
            enrolment.resume(patient, **told)
        elif act.verb == "change":
            enrolment.change_details(patient, dict([act.to]), **told)
        elif act.verb == "close":
            enrolment.close_course(self.course, "over", **told)
        elif act.verb == "withdraw":
            enrolment.withdraw(patient, **told)
        else:
            suppression.unsubscribe(patient, **told)

    def _of_infusion(self, act: Act, **told: Any) -> None:
        known = self.infusions.get(act.infusion)
        if act.verb == "move":
            infusions.correct(known, {"started_at": act.to}, **told)
        elif act.verb == "cancel":
            infusions.cancel(known, "called off", **told)
        else:
            status = Infusion.Status.PLANNED if act.verb == "plan" else Infusion.Status.COMPLETED
            given = InfusionDetails(started_at=act.to, status=status)
            self.infusions[act.infusion] = infusions.log(self.course, given, planned=known, **told)

    def leave(self) -> None:
        """Nothing more is of interest about this one."""
        patient = self.course.patient_id
        Message.objects.filter(patient=patient, state=State.SCHEDULED).update(
            state=State.CANCELLED, ended_at=self.told.until
        )
        Course.objects.filter(patient=patient).update(replan_at=None)

    def receive(self, message: Message) -> None:
        self.received.add(message.pk)
        steps = [
            due.step
            for due in message.follow_up.dues.filter(
                state__in=["planned", "asked"], closes_at__gt=message.accepted_at
            )
            if not message.nth or message.nth in _reminder_days(self.course, due.step)
        ]
        line = message.accepted_at, message.kind, message.nth, tuple(sorted(steps))
        self.sent.append(line)

    def differences(self) -> list[str]:
        """What only the dry run has, and what only the engine sent."""
        only = set(self.foretold) ^ set(self.sent)
        lines = [
            f"{'dry run' if line in self.foretold else 'engine'}: {line[0]:%m-%d %H:%M} {line[1:]}"
            for line in sorted(only)
        ]
        return lines or ([] if self.foretold == self.sent else ["another order"])


def _reminder_days(course: Course, step: str) -> tuple[int, ...]:
    return planning.protocol_of(course).step(step).reminder_days


class Telling:
    """The acts of a history as what becomes known by them."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.infusions: dict[int, InfusionFacts] = {}

    def event(self, act: Act) -> Event:
        if act.verb in ("plan", "give", "move", "cancel"):
            self.infusions[act.infusion] = self._infusion(act)
            return Event(act.at, self.infusions[act.infusion])
        if act.verb == "close":
            return Event(act.at, course={"closed_at": act.at})
        return Event(act.at, patient=self._patient(act))

    def _infusion(self, act: Act) -> InfusionFacts:
        known = self.infusions.get(act.infusion)
        status = {"plan": "planned", "give": "completed", "cancel": "cancelled"}.get(act.verb)
        return InfusionFacts(
            known.id if known else f"infusion {act.infusion}",
            act.to or known.started_at,
            status or known.status,
            known.recorded_at if known else act.at,
        )

    def _patient(self, act: Act) -> dict[str, Any]:
        if act.verb == "pause":
            return {"status": "paused", "paused_until": act.to}
        if act.verb == "resume":
            return {"status": "active", "paused_until": None}
        if act.verb == "withdraw":
            return {"status": "withdrawn"}
        if act.verb == "unsubscribe":
            return {"channel": "unsubscribed"}
        name, value = act.to
        if name == "zone":
            return {"zone": ZoneInfo(value)}
        if name == "allowed_days":
            return {"allowed_days": allowed_days(self.clinic.allowed_days, value)}
        return {name: value}


class World:
    """The lives of many patients, from instant to instant."""

    def __init__(self, histories: Iterable[History], clinics: list[Clinic]) -> None:
        self.lives = [Life(told, clinics[told.clinic]) for told in histories]
        self.by_patient: dict[Any, Life] = {}
        self.order = count()
        self.coming: list[tuple[datetime, int, int, Life, Any]] = []
        for life in self.lives:
            self._expect(life.told.enrolled, BEGIN, life)
            self._expect(life.told.until, LEAVE, life)
            for act in life.told.acts:
                if act.at < life.told.until:
                    self._expect(act.at, ACT, life, act)

    def _expect(self, at: datetime, kind: int, life: Life, what: Any = None) -> None:
        heapq.heappush(self.coming, (at, kind, next(self.order), life, what))

    def live(self) -> None:
        now: datetime | None = self.coming[0][0]
        while now is not None:
            while self.coming and self.coming[0][0] <= now:
                _, kind, _, life, what = heapq.heappop(self.coming)
                self._happen(kind, life, what, now)
            self._go(now)
            before, now = now, min(self._times(), default=None)
            assert now is None or now > before, "time stands still"

    def _happen(self, kind: int, life: Life, what: Any, now: datetime) -> None:
        if kind == BEGIN:
            life.begin()
            self.by_patient[life.course.patient_id] = life
        elif kind == ACT:
            life.happen(what)
        elif kind == ANSWER and now < life.told.until:
            answer(what, now)
        elif kind == LEAVE:
            life.leave()

    def _go(self, now: datetime) -> None:
        """Tick and drain until nothing is left to do at this instant."""
        for _ in range(10):
            while planning.reconcile_lagging(now=now):
                pass
            if not Message.objects.filter(state=State.SCHEDULED, due_at__lte=now).exists():
                return
            dispatch.drain(clock=lambda: now)
            self._receive(now)
        left = Message.objects.filter(state=State.SCHEDULED, due_at__lte=now)
        raise AssertionError(f"still due at {now}: {list(left.values())}")

    def _receive(self, now: datetime) -> None:
        accepted = Message.objects.filter(state=State.ACCEPTED, accepted_at=now)
        for message in accepted.select_related("follow_up"):
            life = self.by_patient[message.patient_id]
            if message.pk in life.received:
                continue
            life.receive(message)
            if life.told.answered == "all":
                self._expect(now + ANSWERED_AFTER, ANSWER, life, message.follow_up_id)

    def _times(self) -> list[datetime]:
        """When something is to be done next, by anybody."""
        due = Message.objects.filter(state=State.SCHEDULED).aggregate(at=Min("due_at"))
        look = Course.objects.aggregate(at=Min("replan_at"))
        coming = [each[0] for each in self.coming[:1]]
        return [*filter(None, [due["at"], look["at"]]), *coming]


def answer(follow_up: Any, now: datetime) -> None:
    """The patient answers everything that is asked, if the link is still good."""
    follow_up = FollowUp.objects.get(pk=follow_up)
    if follow_up.withdrawn_at or follow_up.finished_at or follow_up.closes_at <= now:
        return
    names = [name for due in follow_up.dues.all() for name in due.instruments]
    for key in dict.fromkeys(name.partition(":")[0] for name in names):
        Response.objects.create(
            patient_id=follow_up.patient_id, follow_up=follow_up, language="en",
            instrument=_instrument(key), wording_sha256="0" * 64, started_at=now, finished_at=now,
        )  # fmt: skip
    FollowUp.objects.filter(pk=follow_up.pk).update(started_at=now, finished_at=now)
    Course.objects.filter(patient=follow_up.patient_id).touch(now)


def _instrument(key: str) -> Definition:
    return Definition.objects.get(kind="instrument", key=key)
