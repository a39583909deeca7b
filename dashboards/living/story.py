"""One patient's life, in the order in which things happen."""

import heapq
import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial

from django.db.models import Min

from clinic import consent, enrolment, infusions
from clinic.actors import Actor, member_actor, patient_link, system
from clinic.enrolment import CourseDetails, PatientDetails
from clinic.infusions import InfusionDetails
from clinic.models import Course, Indication, Infusion, Patient
from dashboards.demo import Life, Sitting
from dashboards.demo.lives import CRPS, MAINTENANCE, PAIN
from dashboards.living import stage
from dashboards.living.stage import MINUTE, Team
from reminders import dispatch, planning
from reminders.models import Message, State
from surveys import answering
from surveys.answering import NotTaken
from surveys.instruments import completed
from surveys.models import FollowUp
from surveys.questions import Part

Happening = Callable[[datetime], None]

# By protocol: mg/kg and minutes.
_DOSES = {PAIN: (Decimal("0.80"), 120), CRPS: (Decimal("1.40"), 240)}
_DEPRESSION_DOSE = (Decimal("0.50"), 40)
_CHECKED_OUT = timedelta(minutes=20)  # after the infusion it is logged
_A_SCREEN = timedelta(seconds=8)


def live(life: Life, team: Team, *, until: datetime) -> Patient:
    """From enrolment to `until`. Nothing that falls due later is touched."""
    story = _Story(life, team, until)
    story.run()
    return story.patient


@dataclass
class _Story:
    life: Life
    team: Team
    until: datetime
    patient: Patient = field(init=False)
    course: Course = field(init=False)
    enrolled: bool = False
    replan_at: datetime | None = None
    send_at: datetime | None = None
    sent: set[uuid.UUID] = field(default_factory=set)  # messages that have reached the patient
    events: list[tuple[datetime, int, Happening]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=itertools.count)

    def run(self) -> None:
        """What comes next is what was arranged, or what the engine has to do before that."""
        self._arrange(self._clock(self.life.enrolled_on, "desk"), self._enrol)
        last = self.events[0][0]
        while True:
            due = max(due, last + MINUTE) if (due := self._due_at()) else None
            if self.events and (due is None or self.events[0][0] <= due):
                at, _, happen = heapq.heappop(self.events)
            elif due is not None:
                at, happen = due, self._tick
            else:
                return
            if at > self.until:
                return
            happen(at)
            last = at

    def _arrange(self, at: datetime, happen: Happening) -> None:
        heapq.heappush(self.events, (at, next(self.order), happen))

    # -- Staff --------------------------------------------------------------------------------

    def _enrol(self, at: datetime) -> None:
        life, who = self.life, self.life.person
        name, relation, phone = who.trusted
        details = PatientDetails(
            name=who.name,
            birth_date=who.birth_date,
            consent_version=consent.CURRENT,
            email=who.email,
            phone=who.phone,
            mrn=who.mrn,
            language=who.language,
            zone=life.zone,
            send_hour=life.send_hour,
            trusted_name=name,
            trusted_relation=relation,
            trusted_phone=phone,
        )
        course = self._course_details(life.protocol, life.planned_count)
        self.course = enrolment.enrol(self.team.clinic, details, course, by=self._desk, now=at)
        self.patient, self.enrolled = self.course.patient, True
        self._arrange_visits(life.infusions, at)
        if life.maintained:
            self._arrange(self._clock(life.maintained[0] - timedelta(days=7), "desk"), self._go_on)
        if life.withdraws_on:
            self._arrange(self._clock(life.withdraws_on, "desk"), self._withdraw)

    def _go_on(self, at: datetime) -> None:
        """After the induction, maintenance."""
        details = self._course_details(MAINTENANCE, None)
        self.course = enrolment.open_course(self.patient, details, by=self._desk, now=at)
        self._arrange_visits(self.life.maintained, at)

    def _course_details(self, protocol: str, planned: int | None) -> CourseDetails:
        indication = Indication(self.life.indication)
        return CourseDetails(protocol=protocol, indication=indication, planned_infusions=planned)

    def _arrange_visits(self, days: tuple[date, ...], at: datetime) -> None:
        """Each visit is planned at the one before, and logged after the infusion."""
        planned_at = at + MINUTE
        for day in days:
            start = self._clock(day, "visit")
            self._arrange(planned_at, partial(self._plan, self.course, start))
            planned_at = start + timedelta(minutes=self._dose[1]) + _CHECKED_OUT
            self._arrange(planned_at, partial(self._give, self.course, start))
        is_last_course = days == (self.life.maintained or self.life.infusions)
        for day in self.life.planned if is_last_course else ():
            self._arrange(planned_at, partial(self._plan, self.course, self._clock(day, "visit")))

    def _plan(self, course: Course, start: datetime, at: datetime) -> None:
        planned = InfusionDetails(started_at=start, status=Infusion.Status.PLANNED)
        infusions.log(course, planned, by=self._desk, now=at)

    def _give(self, course: Course, start: datetime, at: datetime) -> None:
        rng, (dose, minutes) = self.life.rng("given", start.date()), self._dose
        given = InfusionDetails(
            started_at=start,
            dose_mg_per_kg=dose,
            duration_minutes=minutes,
            systolic_max=rng.randint(118, 158),
            diastolic_max=rng.randint(68, 96),
            heart_rate_max=rng.randint(64, 104),
            oxygen_min=rng.randint(94, 99),
        )
        infusions.log(course, given, by=member_actor(self.team.clinician), now=at)

    def _withdraw(self, at: datetime) -> None:
        enrolment.withdraw(self.patient, by=self._desk, now=at)

    # -- The engine ---------------------------------------------------------------------------

    def _due_at(self) -> datetime | None:
        """When the schedule or a message wants attention."""
        if not self.enrolled:
            return None
        waiting = self.patient.messages.filter(state=State.SCHEDULED)
        self.replan_at = self.patient.courses.aggregate(at=Min("replan_at"))["at"]
        self.send_at = waiting.aggregate(at=Min("due_at"))["at"]
        times = (self.replan_at, self.send_at)
        return min((at for at in times if at is not None), default=None)

    def _tick(self, at: datetime) -> None:
        if self.replan_at is not None and self.replan_at <= at:
            planning.reconcile(self.patient, now=at, by=system("its time had come"))
        if self.send_at is None or self.send_at > at:
            return
        dispatch.drain(clock=lambda: at)
        accepted = self.patient.messages.filter(state=State.ACCEPTED).exclude(pk__in=self.sent)
        for message in accepted.select_related("follow_up"):
            self.sent.add(message.pk)
            self._read(message, at)

    # -- The patient --------------------------------------------------------------------------

    def _read(self, message: Message, at: datetime) -> None:
        """An e-mail arrives: it bounces, is left lying, or is answered after a while."""
        life, today = self.life, at.astimezone(self.team.clinic.tz).date()
        if life.bounces_on and today >= life.bounces_on:
            stage.bounce(message, at=at + MINUTE)
            return
        rng = life.rng("read", message.follow_up.local_date, message.nth)
        if (life.silent_from and today >= life.silent_from) or rng.random() > life.diligence:
            return
        sits = at + timedelta(minutes=4 + rng.expovariate(1 / 170))
        last = None if life.answers_at is None else self.until - life.answers_at
        if last is not None and at <= last < message.follow_up.closes_at:
            sits = last
        if sits < message.follow_up.closes_at - 15 * MINUTE:
            self._arrange(sits, partial(self._answer, message.follow_up))

    def _answer(self, follow_up: FollowUp, at: datetime) -> None:
        """Every screen like a phone would send it. A link that has closed meanwhile is left."""
        try:
            paper = answering.begin(FollowUp.objects.get(pk=follow_up.pk), now=at)
        except NotTaken:
            return
        sitting = Sitting(self.life, at.astimezone(self.patient.tz).date())
        for part in paper.parts:
            at = self._fill(follow_up, part, sitting, at)
        answering.finish(follow_up, by=patient_link(follow_up.pk), now=at)
        self._care(at)

    def _fill(self, follow_up: FollowUp, part: Part, sitting: Sitting, at: datetime) -> datetime:
        by, answers = patient_link(follow_up.pk), dict(part.answers)
        while screen := part.instrument.next_screen(answers):
            given = sitting.answers(part.instrument, screen)
            answering.record(follow_up, part.key, screen.key, given, by=by, now=at)
            answers |= completed(part.instrument, screen, given)
            at += _A_SCREEN
        return at

    def _care(self, at: datetime) -> None:
        """What the answers raised: ended within the day, or left on the list by the story."""
        last = None if self.life.answers_at is None else self.until - self.life.answers_at
        for alert in self.patient.alerts.open().filter(owner=None).order_by("raised_at"):
            if self.life.left and last is not None and at >= last and alert.trigger[:2] == "9=":
                stage.tell_and_leave(alert, self.team, self.life.left, at=at)
                continue
            minutes = self.life.rng("care", alert.rule, at.date()).randint(5, 45)
            stage.tell_and_care(alert, self.team, minutes=minutes, at=at, until=self.until)

    # -- Clocks and doses ---------------------------------------------------------------------

    @property
    def _desk(self) -> Actor:
        return member_actor(self.team.coordinator)

    @property
    def _dose(self) -> tuple[Decimal, int]:
        return _DOSES.get(self.life.protocol, _DEPRESSION_DOSE)

    def _clock(self, day: date, what: str) -> datetime:
        """In the clinic's opening hours, for one patient always about the same."""
        rng = self.life.rng("clock", what)
        at = time(rng.randint(9, 13), rng.choice((0, 15, 30, 45)))
        return datetime.combine(day, at, tzinfo=self.team.clinic.tz)
