"""What the clinical protocol asks of an alert once it is raised, rule by rule.

- Looking takes nothing: "Acknowledge by GET or by email open: impossible."
- Lost mail: "Provider down: next channel, operator paged." A notice that is refused or comes back
  brings the next people at once, and the operator's check fails.
- No alert is forgotten: "every alert has an acknowledgement or an escalation record", and the
  trail says both.
- One owner: "Two clinicians acknowledge at the same instant: one owner, both logged."
- Late, once and true: "Clock skew and a 2-hour outage: overdue alerts fire once, with true times."
- A clock of its own: the steps of docs/safety.md count from the alert; no other event stops them.
- Twelve hours: "logged as a safety incident", and every page of the clinic says so.
- What repeats stays: "three worklist entries, none auto-closed."
"""

import logging
import uuid
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.actors import member_actor
from clinic.models import AuditEntry, Member
from reminders import delivery, notices, ticking
from reminders.health import judging, reading
from reminders.health.facts import Health
from reminders.models import Notice, ProviderEvent, State
from surveys import alerts, contacting
from surveys.models import Alert, Escalation
from tests.builders import BY_TEST, make_member
from tests.reminders.letters import drain_at, make_alert
from tests.surveys.ends import call, close
from tests.surveys.follow_ups import answer, make_follow_up
from tests.surveys.test_alerts import at_once

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def team(clinic, now) -> dict[str, Member]:
    """A responder, two further clinicians and the administrator, in the order of the roster."""
    made = {}
    for n, name in enumerate(("first", "second", "third")):
        email = f"{name}@north.example"
        made[name] = make_member(clinic, Member.Role.CLINICIAN, now=now + n * MINUTE, email=email)
    Member.objects.filter(pk=made["first"].pk).update(is_responder=True)
    made["chief"] = clinic.members.get(role=Member.Role.ADMIN)
    return made


@pytest.fixture
def alert(clinic, patient, team, now) -> Alert:
    return make_alert(clinic, now=now, level="critical", patient=patient)


def tick(now) -> None:
    ticking.heal(now=now)
    drain_at(now)


def mailed(server) -> list[str]:
    """To whom, in order, by the part of the address that is their name in these tests."""
    return [received.recipients[0].partition("@")[0] for received in server.messages]


def steps(alert: Alert) -> list[tuple[str, int]]:
    return list(alert.escalations.order_by("due_at", "n").values_list("reason", "n"))


def check(now) -> Health:
    verdicts = judging.judge(reading.engine(reading.setup(), now), reading.setup(), now)
    return next(verdict.health for verdict in verdicts if verdict.check == "alerts")


# -- Looking takes nothing --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_no_look_at_any_page_of_an_alert_takes_it(alert, team, client: Client, method):
    client.force_login(team["first"].user)
    for name in ("alert", "take-alert", "close-alert", "confirm-closing", "reopen-alert"):
        getattr(client, method)(reverse(f"dashboards:{name}", args=[alert.pk]))
    getattr(client, method)(reverse("dashboards:alerts"))
    alert.refresh_from_db()
    assert (alert.owner, alert.taken_at, alert.closed_at) == (None, None, None)


def test_that_a_notice_was_delivered_or_opened_takes_nothing(alert, mail_server, now):
    tick(now)
    for kind in ("delivered", "opened", "clicked"):
        report(Notice.objects.get(), kind, now)
    alert.refresh_from_db()
    assert alert.owner is None
    assert notices.create_due(now=now + 15 * MINUTE)


def report(notice: Notice, kind: str, now, **payload: str) -> None:
    ProviderEvent.objects.create(
        provider="demo",
        dedupe_key=f"{kind} {notice.pk}",
        kind=kind,
        message_ref=str(notice.pk),
        occurred_at=now,
        received_at=now,
        payload=payload,
        try_after=now,
    )
    delivery.drain_events(clock=lambda: now)


# -- Lost mail --------------------------------------------------------------------------------


def refuse(server, *members: Member) -> None:
    for member in members:
        server.refused[member.user.email] = "550 5.1.1 no such mailbox"


def test_mail_that_is_refused_brings_the_next_at_once_and_the_operator_is_told(
    alert, team, mail_server, now, caplog
):
    refuse(mail_server, team["first"])
    for minutes in range(3):
        tick(now + minutes * MINUTE)
    assert set(mailed(mail_server)) == {"second", "third", "admin"}
    assert steps(alert) == [("not_delivered", 1)]
    assert check(now + 3 * MINUTE) is Health.FAILED
    assert f"alert {alert.pk}: a notice did not arrive" in caplog.text


def test_mail_that_comes_back_does_the_same(alert, team, mail_server, now):
    tick(now)
    assert mailed(mail_server) == ["first"]
    report(Notice.objects.get(), "bounced", now + MINUTE, type="HardBounce")
    tick(now + MINUTE)
    assert set(mailed(mail_server)[1:]) == {"second", "third", "admin"}
    assert steps(alert) == [("not_delivered", 1)]
    assert check(now + 2 * MINUTE) is Health.FAILED


def test_where_another_responder_is_reached_the_operator_is_told_all_the_same(
    alert, team, mail_server, now
):
    Member.objects.filter(pk=team["second"].pk).update(is_responder=True)
    refuse(mail_server, team["first"])
    for minutes in range(3):
        tick(now + minutes * MINUTE)
    assert mailed(mail_server) == ["second"]
    assert steps(alert) == [("not_delivered", 1)]
    assert check(now + 3 * MINUTE) is Health.FAILED
    alerts.take(alert, by=member_actor(team["second"]), now=now + 3 * MINUTE)
    assert check(now + 4 * MINUTE) is Health.OK


def test_each_mailbox_that_fails_is_one_step_and_no_flood(alert, team, mail_server, now):
    refuse(mail_server, *team.values())
    for minutes in range(10):
        tick(now + minutes * MINUTE)
    assert steps(alert) == [("not_delivered", n) for n in (1, 2, 3, 4)]
    assert Notice.objects.count() == 4


# -- No alert is forgotten --------------------------------------------------------------------


def test_every_alert_ends_in_an_acknowledgement_or_an_escalation_record(
    clinic, team, patient, mail_server, now
):
    """One of each level, each left alone, taken in time, or taken at the very last moment."""
    first = {"critical": 15 * MINUTE, "urgent": HOUR, "review": 24 * HOUR}
    taken_at = {}
    for level, after in first.items():
        for n, takes in enumerate((None, after / 2, after - timedelta(microseconds=1))):
            made = make_alert(clinic, now=now, level=level, trigger=f"9={n}", patient=patient)
            taken_at[made.pk] = None if takes is None else now + takes
    moments = sorted(
        {now, *filter(None, taken_at.values()), *(now + n * 15 * MINUTE for n in range(200))}
    )
    for moment in moments:
        for pk, at in taken_at.items():
            if at == moment:
                alerts.take(Alert.objects.get(pk=pk), by=member_actor(team["first"]), now=at)
        notices.create_due(now=moment)
    for each in Alert.objects.all():
        acknowledged = each.events.filter(kind="taken").exists()
        assert acknowledged or each.escalations.exists()
        assert acknowledged == (taken_at[each.pk] is not None)
        assert each.escalations.exists() != acknowledged, "taken in time, it went no further"
        in_trail = AuditEntry.objects.filter(object_id=str(each.pk))
        assert in_trail.filter(action__startswith="escalation").count() == each.escalations.count()


def test_an_alert_whose_owner_works_here_no_more_is_nobodys_again(alert, team, now):
    alerts.take(alert, by=member_actor(team["first"]), now=now + MINUTE)
    notices.create_due(now=now + 20 * MINUTE)
    assert steps(alert) == []
    Member.objects.filter(pk=team["first"].pk).update(active=False)
    notices.create_due(now=now + 21 * MINUTE)
    assert steps(alert) == [("untaken", 1)]
    told = {notice.member for notice in Notice.objects.all()}
    assert told == {team["second"], team["third"], team["chief"]}, "no responder is left"


def test_no_record_of_it_is_ever_rewritten(alert, now):
    notices.create_due(now=now + 15 * MINUTE)
    with pytest.raises(DatabaseError), transaction.atomic():
        Escalation.objects.update(n=9)
    with pytest.raises(DatabaseError), transaction.atomic():
        Escalation.objects.all().delete()


def test_a_test_alert_does_not_escalate(clinic, team, now):
    test = alerts.send_test(clinic, team["first"], by=BY_TEST, now=now)
    notices.create_due(now=now + 24 * HOUR)
    assert steps(test) == []
    assert {notice.member for notice in Notice.objects.all()} == {team["first"]}


# -- One owner --------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_take_it_at_the_same_instant(alert, team, now):
    members = [team["first"], team["second"]]
    at_once(*[lambda m=m: alerts.take(alert, by=member_actor(m), now=now) for m in members])
    alert.refresh_from_db()
    assert alert.owner in members
    logged = alert.events.filter(kind__in=["taken", "note"])
    assert {event.member for event in logged} == set(members)
    assert sorted(event.kind for event in logged) == ["note", "taken"], "one has it"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_the_same_instant_put_each_step_on_record_once(alert, team, now):
    later = now + 31 * MINUTE
    at_once(*[lambda: notices.create_due(now=later)] * 3)
    assert steps(alert) == [("untaken", 1), ("untaken", 2)]
    assert alert.events.filter(kind="escalated").count() == 2
    told = list(Notice.objects.values_list("member", flat=True))
    assert len(told) == len(set(told)) == 4


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_taken_and_escalated_at_the_same_instant(alert, team, now):
    """Whichever comes first: after "taken" nothing is put on record any more."""
    later = now + 15 * MINUTE
    at_once(
        lambda: alerts.take(alert, by=member_actor(team["first"]), now=later),
        lambda: notices.create_due(now=later),
    )
    kinds = list(alert.events.order_by("pk").values_list("kind", flat=True))
    assert kinds.count("taken") == 1
    assert ("taken", "escalated") not in set(pairwise(kinds))


# -- Late, once and true ----------------------------------------------------------------------


def test_after_an_outage_each_step_is_taken_once_with_the_time_it_was_due(
    alert, team, mail_server, now
):
    back = now + 2 * HOUR
    for seconds in (0, 1, 30):
        tick(back + timedelta(seconds=seconds))
    records = alert.escalations.order_by("n").values_list("due_at", "at")
    assert list(records) == [(now + n * MINUTE, back) for n in (15, 30, 60)]
    assert sorted(mailed(mail_server)) == ["admin", "first", "second", "third"]


# -- A clock of its own -----------------------------------------------------------------------


def test_the_next_by_the_roster_is_told_when_nobody_took_it(alert, team, mail_server, now):
    reached = {}
    for minutes in (0, 14, 15, 30, 60):
        mail_server.messages.clear()
        tick(now + minutes * MINUTE)
        reached[minutes] = set(mailed(mail_server))
    assert reached == {
        0: {"first"},
        14: set(),
        15: {"first", "second"},
        30: {"first", "second", "third", "admin"},
        60: {"first", "second", "third", "admin"},
    }
    told = alert.events.filter(kind="escalated").order_by("pk").values_list("detail", flat=True)
    assert [line.rpartition(". ")[2] for line in told] == [
        "Clinician.",
        "Clinician, admin@north.example.",
        "Nobody further is there.",
    ]


def test_no_other_event_stops_the_clock(alert, team, patient, settings, now):
    """Notes, a number left, "not safe" once more, mail on hold, a lost notice, a death."""
    settings.MAIL_MODE = "hold"
    notices.create_due(now=now)
    alerts.note(alert, "asked again", by=BY_TEST, now=now + 13 * MINUTE)
    alerts.leave_phone(alert, "312 555 0100", by=BY_TEST, now=now + 13 * MINUTE)
    alerts.escalate(alert, "able to keep safe: no", by=BY_TEST, now=now + 14 * MINUTE)
    Notice.objects.update(state=State.CANCELLED)
    type(patient).objects.filter(pk=patient.pk).update(status="withdrawn")
    notices.create_due(now=now + 15 * MINUTE)
    assert ("untaken", 1) in steps(alert)
    assert Notice.objects.filter(member=team["second"]).exists()


def test_what_becomes_critical_late_has_gone_as_far_as_if_it_had_been_so(
    clinic, team, patient, now
):
    alert = make_alert(clinic, now=now, level="urgent", patient=patient)
    notices.create_due(now=now + 40 * MINUTE)
    assert steps(alert) == []
    alerts.escalate(alert, "able to keep safe: no", by=BY_TEST, now=now + 40 * MINUTE)
    notices.create_due(now=now + 41 * MINUTE)
    assert steps(alert) == [("untaken", 1), ("untaken", 2)]


def test_an_alert_that_cannot_be_read_stops_no_other(clinic, alert, team, now, caplog):
    bad = make_alert(clinic, now=now - MINUTE, level="critical", trigger="9=1")
    Alert.objects.filter(pk=bad.pk).update(level="nonsense")
    notices.create_due(now=now + 15 * MINUTE)
    assert steps(alert) == [("untaken", 1)]
    assert f"alert {bad.pk}: nobody could be told: KeyError" in caplog.text


def test_people_are_told_also_when_it_cannot_be_put_on_record(alert, team, now, caplog):
    refuse_records()
    notices.create_due(now=now + 15 * MINUTE)
    assert steps(alert) == []
    assert Notice.objects.filter(member=team["second"]).exists()
    assert f"alert {alert.pk}: not put on record" in caplog.text


def test_a_tick_that_died_after_the_record_has_its_people_told_by_the_next(alert, team, now):
    notices.create_due(now=now + 14 * MINUTE)
    alert.escalations.create(reason="untaken", n=1, due_at=now + 15 * MINUTE, at=now + 15 * MINUTE)
    for _ in range(2):
        notices.create_due(now=now + 16 * MINUTE)
    assert Notice.objects.filter(member=team["second"]).count() == 1


def refuse_records() -> None:
    """As a full disk would."""
    act = "BEGIN SELECT RAISE(ABORT, 'full'); END"
    if connection.vendor == "postgresql":
        act = "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TRIGGER full_disk BEFORE INSERT ON surveys_escalation {act}")


def test_escalation_comes_first_whatever_else_of_a_tick_fails(alert, team, now):
    """A row that nothing can settle: its lease is over, and it says nothing of its call."""
    notices.create_due(now=now)
    notice = Notice.objects.get()
    lease = {"lease_token": uuid.uuid4(), "lease_until": now, "state": State.SENDING}
    Notice.objects.filter(pk=notice.pk).update(**lease)
    ticking.heal(now=now + 15 * MINUTE)
    assert steps(alert) == [("untaken", 1)]


# -- Twelve hours -----------------------------------------------------------------------------


def test_after_twelve_hours_it_is_on_record_as_an_incident(alert, team, now, caplog):
    for minutes in range(0, 12 * 60 + 1, 60):
        notices.create_due(now=now + minutes * MINUTE)
        Notice.objects.update(state=State.ACCEPTED, accepted_at=now + minutes * MINUTE)
    assert steps(alert)[-1] == ("incident", 1)
    assert alert.events.filter(kind="incident").count() == 1
    assert check(now + 12 * HOUR) is Health.FAILED
    told = [record for record in caplog.records if "safety incident" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.ERROR]
    assert "Ana" not in caplog.text


@pytest.mark.parametrize(
    ("level", "hours", "shown"),
    [
        ("critical", 0.99, False),
        ("critical", 1, True),
        ("urgent", 11.9, False),
        ("urgent", 12, True),
    ],
)
def test_every_page_says_that_nobody_came(clinic, team, viewer, client, level, hours, shown):
    """Without a tick: a dead engine must not hide it."""
    raised = timezone.now() - hours * HOUR
    alert = make_alert(clinic, now=raised, level=level)
    Alert.objects.filter(pk=alert.pk).update(patient=None)
    for member, link in ((team["first"], "Open alerts"), (viewer, "Fetch a clinician now.")):
        client.force_login(member.user)
        page = client.get("/").content.decode()
        assert ("alert has waited too long" in page) is shown
        assert (link in page) is shown
    alerts.take(alert, by=member_actor(team["first"]), now=timezone.now())
    assert "has waited too long" not in client.get("/").content.decode()


def test_another_clinics_pages_say_nothing(clinic, team, other_clinic_admin, client):
    make_alert(clinic, now=timezone.now() - 13 * HOUR, level="critical")
    client.force_login(other_clinic_admin.user)
    assert "has waited too long" not in client.get("/").content.decode()


# -- What repeats stays -----------------------------------------------------------------------


def test_the_same_answer_three_times_is_three_alerts_that_only_people_end(course, team, now):
    for days in (0, 7, 14, 21):
        moment = now + timedelta(days=days)
        answer(make_follow_up(course, ["phq9"], now=moment), "phq9/9", 1, now=moment)
    notices.create_due(now=now + timedelta(days=60))
    assert Alert.objects.open().filter(level="review").count() == 3
    assert Alert.objects.open().count() == 4


def test_a_case_from_the_alert_to_its_end_is_in_the_trail(alert, team, now):
    first, second = team["first"], team["second"]
    alerts.take(alert, by=member_actor(first), now=now)
    for n in range(2):
        call(alert, by=first, at=now + n * MINUTE)
    contacting.hand_over(alert, second, "", by=member_actor(first), now=now + 3 * MINUTE)
    alerts.take(alert, by=member_actor(second), now=now + 4 * MINUTE)
    close(alert, "spoke", by=second, now=now + 5 * MINUTE)
    acts = AuditEntry.objects.filter(object_id=str(alert.pk)).order_by("pk")
    assert list(acts.values_list("action", flat=True)) == [
        "take alert",
        "record contact",
        "record contact",
        "hand over alert",
        "take alert",
        "close alert",
    ]
