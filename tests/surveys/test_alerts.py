"""Which answers raise which alert, and what then happens to it."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from clinic.actors import member_actor, patient_link
from clinic.models import Infusion, Member
from surveys import alerts, answering
from surveys.case_file import NotClinical
from surveys.models import Alert, AlertEvent, StepDue
from surveys.signals import alert_raised
from tests.builders import BY_TEST, make_member
from tests.surveys.ends import close
from tests.surveys.follow_ups import answer, answer_all, make_follow_up, the_response

DAY = timedelta(days=1)


def on_another_day(course, now, days, instruments=("phq9",)):
    return make_follow_up(course, list(instruments), now=now + days * DAY)


def the_levels():
    return list(Alert.objects.order_by("raised_at", "trigger").values_list("trigger", "level"))


@pytest.fixture
def alert(follow_up, now) -> Alert:
    answer(follow_up, "phq9/9", 2, now=now)
    return Alert.objects.get()


@pytest.fixture
def backup(clinic, now) -> Member:
    return make_member(clinic, Member.Role.CLINICIAN, now=now, email="backup@north.example")


# -- Raising ----------------------------------------------------------------------------------


def test_the_alert_exists_before_anything_else_is_asked(follow_up, patient, clinic, now):
    answer(follow_up, "phq9/9", 3, now=now)
    alert = Alert.objects.get()
    assert (alert.level, alert.trigger, alert.rule) == ("critical", "9=3", "suicide-item 2026-11")
    assert (alert.clinic, alert.patient, alert.follow_up) == (clinic, patient, follow_up)
    assert alert.raised_at == now
    assert alert.events.get().kind == AlertEvent.Kind.RAISED


def test_an_answer_and_its_alert_stand_or_fall_together(follow_up, now):
    with transaction.atomic():
        answer(follow_up, "phq9/9", 3, now=now)
        transaction.set_rollback(True)
    assert not Alert.objects.exists()
    assert not follow_up.responses.exists()


def test_it_is_announced_once_it_is_committed(follow_up, now, django_capture_on_commit_callbacks):
    heard = []
    listen = lambda alert_id, **_: heard.append(alert_id)  # noqa: E731
    alert_raised.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        answer(follow_up, "phq9/9", 1, now=now)
        assert heard == []
    alert_raised.disconnect(listen)
    assert heard == [Alert.objects.get().pk]


def test_a_broken_listener_does_not_reach_the_patient(
    follow_up, now, django_capture_on_commit_callbacks
):
    def broken(**_):
        raise RuntimeError

    alert_raised.connect(broken)
    with django_capture_on_commit_callbacks(execute=True):
        answer(follow_up, "phq9/9", 1, now=now)
    alert_raised.disconnect(broken)
    assert Alert.objects.exists()


def test_the_same_answer_again_is_one_alert(follow_up, now):
    answer(follow_up, "phq9/9", 2, now=now)
    answer(follow_up, "phq9/9", 2, now=now)
    assert Alert.objects.count() == 1


def test_a_worse_answer_raises_again_and_a_better_one_only_joins_the_history(follow_up, now):
    for value in (1, 2, 1, 0):
        answer(follow_up, "phq9/9", value, now=now)
    assert the_levels() == [("9=1", "urgent"), ("9=2", "urgent")]
    notes = AlertEvent.objects.filter(kind=AlertEvent.Kind.NOTE, alert__trigger="9=2")
    assert [note.detail for note in notes.order_by("pk")] == [
        "answer changed to 1",
        "answer changed to 0",
    ]


def test_an_answer_given_again_after_its_alert_was_closed_is_news(alert, follow_up, clinician, now):
    close(alert, "spoke", by=clinician, now=now)
    answer(follow_up, "phq9/9", 0, now=now)
    answer(follow_up, "phq9/9", 2, now=now)
    assert Alert.objects.open().get().trigger == "9=2#2"


def test_the_first_positive_answer_ever_is_urgent(course, now):
    answer_all(on_another_day(course, now, 0), now=now)
    answer_all(on_another_day(course, now, 7), now=now + 7 * DAY, i9=1)
    assert Alert.objects.get().level == "urgent"


def test_the_same_positive_answer_three_times_is_three_alerts(course, now):
    for days in (0, 7, 14):
        answer_all(on_another_day(course, now, days), now=now + days * DAY, i9=1)
    assert the_levels() == [("9=1", "urgent"), ("9=1", "review"), ("9=1", "review")]
    assert Alert.objects.open().count() == 3


def test_an_answer_nobody_sent_still_counts_as_the_one_before(course, now):
    answer(on_another_day(course, now, 0), "phq9/9", 1, now=now)
    answer(on_another_day(course, now, 7), "phq9/9", 1, now=now + 7 * DAY)
    assert the_levels()[-1] == ("9=1", "review")


def test_the_answer_before_is_the_one_given_last_not_the_one_begun_last(course, now):
    begun_first = on_another_day(course, now, 0)
    answer(begun_first, "phq9/1", 0, now=now)
    answer(on_another_day(course, now, 1), "phq9/9", 2, now=now + DAY)
    answer(begun_first, "phq9/9", 0, now=now + 2 * DAY)
    answer(on_another_day(course, now, 3), "phq9/9", 1, now=now + 3 * DAY)
    assert the_levels()[-1] == ("9=1", "urgent")


def test_a_skipped_item_nine_is_reviewed_not_passed_over(follow_up, now):
    by = patient_link(follow_up.pk)
    answering.record(follow_up, "phq9", "9", {"9": None}, by=by, now=now)
    assert the_levels() == [("9=-", "review")]
    answer_all(follow_up, now=now)
    assert Alert.objects.count() == 1


def test_no_total_is_needed_for_an_urgent_answer(follow_up, now):
    answer_all(follow_up, now=now, i9=2, i1=None, i2=None, i3=None)
    assert the_response(follow_up, "phq9").scores.get().value is None
    assert ("9=2", "urgent") in the_levels()


def test_a_voided_infusion_does_not_silence_an_answer(follow_up, course, now):
    Infusion.objects.create(
        course=course, started_at=now - DAY, status=Infusion.Status.CANCELLED, recorded_at=now
    )
    answer(follow_up, "phq9/1", 1, now=now)
    follow_up.dues.update(state=StepDue.State.CANCELLED, reason="infusion cancelled")
    answer(follow_up, "phq9/9", 2, now=now)
    assert the_levels() == [("9=2", "urgent")]


def test_a_red_flag_is_urgent(check_in, now):
    answering.record(check_in, "checkin", "red-flags", {"flag-chest-pain": 1}, by=BY_TEST, now=now)
    assert the_levels() == [("flag-chest-pain=1", "urgent")]


@pytest.mark.parametrize(("hours", "raised"), [(23, []), (24, [("6=2", "urgent")])])
def test_what_should_be_gone_after_a_day_is_urgent_from_then_on(
    check_in, course, now, hours, raised
):
    Infusion.objects.create(
        course=course,
        started_at=now - timedelta(hours=hours),
        status=Infusion.Status.COMPLETED,
        recorded_at=now,
    )
    for screen, values in (("symptoms", {"had-6": 1}), ("how-bad-6", {"6": 2})):
        answering.record(check_in, "checkin", screen, values, by=BY_TEST, now=now)
    assert the_levels() == raised


def test_urinary_symptoms_twice_in_a_row_are_urgent(course, now):
    for days in (0, 7):
        follow_up = on_another_day(course, now, days, ["checkin"])
        for screen, values in (("symptoms", {"had-11": 1}), ("how-bad-11", {"11": 2})):
            answering.record(follow_up, "checkin", screen, values, by=BY_TEST, now=now + days * DAY)
    assert the_levels() == [("11=2", "review"), ("11=2", "urgent")]


# -- At the end -------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "raised"), [(19, []), (20, [("total=20", "review")])])
def test_a_severe_total_is_reviewed(follow_up, now, value, raised):
    given = {f"i{n}": 3 for n in range(1, 7)} | {"i7": value - 18, "i8": 0, "i9": 0}
    answer_all(follow_up, now=now, **given)
    assert the_levels() == raised


def test_a_rise_of_five_since_the_best_is_reviewed(course, now):
    for days, extra in ((0, 0), (7, 2), (14, 3)):
        follow_up = on_another_day(course, now, days)
        given = {"i1": min(extra * 2, 3), "i2": extra * 2 - min(extra * 2, 3)}
        answer_all(follow_up, now=now + days * DAY, **given)
    assert the_levels() == [("total=6", "review")]


def test_a_much_worse_impression_of_change_is_reviewed(course, now):
    answer_all(make_follow_up(course, ["pgic"], now=now), now=now, value=6)
    assert the_levels() == [("total=6", "review")]


# -- Asking for help --------------------------------------------------------------------------


def test_asking_for_help_is_critical_and_needs_no_answer(follow_up, now):
    alerts.help_now(follow_up, by=patient_link(follow_up.pk), now=now)
    alert = Alert.objects.get()
    assert (alert.level, alert.rule, alert.response) == ("critical", "help-now", None)


def test_pressing_it_again_is_the_same_alert(follow_up, now):
    for _ in range(3):
        alerts.help_now(follow_up, by=patient_link(follow_up.pk), now=now)
    assert Alert.objects.count() == 1
    assert AlertEvent.objects.filter(detail="asked for help again").count() == 2


def test_pressing_it_after_it_was_closed_is_a_new_one(follow_up, clinician, now):
    first = alerts.help_now(follow_up, by=BY_TEST, now=now)
    close(first, "spoke", by=clinician, now=now)
    alerts.help_now(follow_up, by=BY_TEST, now=now)
    assert Alert.objects.open().count() == 1


def test_not_being_safe_makes_it_critical_and_it_is_announced_again(
    alert, now, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        alerts.escalate(alert, "able to keep safe: no", by=BY_TEST, now=now)
    alert.refresh_from_db()
    assert alert.level == "critical"
    assert len(callbacks) == 1
    assert alert.events.filter(kind=AlertEvent.Kind.LEVEL).exists()


def test_the_number_for_today_is_sealed(alert, now):
    alerts.leave_phone(alert, "312 555 0199", by=BY_TEST, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT best_phone FROM surveys_alert")
        assert "0199" not in cursor.fetchone()[0]
    alert.refresh_from_db()
    assert alert.best_phone == "312 555 0199"
    assert not AlertEvent.objects.filter(detail__contains="0199").exists()


# -- Owner and end ----------------------------------------------------------------------------


def test_the_first_who_presses_owns_it_and_the_other_is_told_who(alert, clinician, backup, now):
    assert alerts.take(alert, by=member_actor(clinician), now=now) == clinician
    assert alerts.take(alert, by=member_actor(backup), now=now + DAY) == clinician
    alert.refresh_from_db()
    assert (alert.owner, alert.taken_at) == (clinician, now)
    assert list(alert.events.order_by("pk").values_list("kind", "member")) == [
        ("raised", None),
        ("taken", clinician.pk),
        ("note", backup.pk),
    ]


def test_taking_it_twice_changes_nothing(alert, clinician, now):
    for days in range(2):
        alerts.take(alert, by=member_actor(clinician), now=now + days * DAY)
    alert.refresh_from_db()
    assert alert.taken_at == now
    assert alert.events.filter(kind=AlertEvent.Kind.TAKEN).count() == 1


@pytest.mark.parametrize("who", ["coordinator", "viewer", "other_clinic_admin"])
def test_only_clinical_members_of_the_clinic_take_it(alert, now, request, who):
    with pytest.raises(NotClinical):
        alerts.take(alert, by=member_actor(request.getfixturevalue(who)), now=now)
    with pytest.raises(NotClinical):
        close(alert, "seen", by=request.getfixturevalue(who), now=now)


def test_it_ends_with_what_came_of_it(alert, clinician, now):
    alerts.take(alert, by=member_actor(clinician), now=now)
    close(alert, "spoke", note="Called at noon.", by=clinician, now=now + DAY)
    alert.refresh_from_db()
    assert (alert.closed_at, alert.outcome) == (now + DAY, "spoke")
    said = alert.events.get(kind="closed").detail
    assert said.startswith("Spoke with the patient; plan: Safety plan made or gone over;")
    assert said.endswith(". Called at noon.")


def test_closing_twice_keeps_the_first_end(alert, clinician, now):
    for outcome in ("spoke", "no_action"):
        close(alert, outcome, by=clinician, now=now)
    alert.refresh_from_db()
    assert alert.outcome == "spoke"


def test_closing_what_nobody_took_takes_it(alert, clinician, now):
    close(alert, "seen", by=clinician, now=now)
    alert.refresh_from_db()
    assert (alert.owner, alert.taken_at) == (clinician, now)


def test_history_cannot_be_rewritten(alert):
    with pytest.raises(DatabaseError), transaction.atomic():
        alert.events.update(detail="nothing happened")
    with pytest.raises(DatabaseError), transaction.atomic():
        alert.events.all().delete()


def test_a_reference_has_no_letter_that_is_read_as_another(follow_up, now):
    letters = {letter for _ in range(300) for letter in alerts._reference()[:4]}
    assert not letters & set("0O1ILSZ")
    assert all(len(alerts._reference()) == 7 for _ in range(20))


def test_a_test_alert_stands_until_somebody_takes_it(clinic, admin, clinician, now):
    first = alerts.send_test(clinic, clinician, by=member_actor(admin), now=now)
    assert alerts.send_test(clinic, clinician, by=member_actor(admin), now=now) == first
    alerts.take(first, by=member_actor(clinician), now=now)
    first.refresh_from_db()
    assert (first.owner, first.outcome, first.patient) == (clinician, "tested", None)
    assert not Alert.objects.about_patients().exists()


def at_once(*acts):
    """Run these at the same instant, each on a connection of its own."""
    ready, faults = threading.Barrier(len(acts)), []

    def run(act):
        ready.wait()
        try:
            act()
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_first_answer_from_two_tabs_at_the_same_instant(follow_up, now):
    at_once(*[lambda: answer(follow_up, "phq9/9", 2, now=now)] * 4)
    assert the_response(follow_up, "phq9").answers == {"9": 2}
    assert the_levels() == [("9=2", "urgent")]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_help_pressed_twice_at_the_same_instant_is_one_alert(follow_up, now):
    at_once(*[lambda: alerts.help_now(follow_up, by=BY_TEST, now=now)] * 4)
    assert Alert.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_sending_twice_at_the_same_instant_scores_once(follow_up, now):
    answer_all(follow_up, now=now, send=False)
    at_once(*[lambda: answering.finish(follow_up, by=patient_link(follow_up.pk), now=now)] * 3)
    assert the_response(follow_up, "phq9").scores.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_clinicians_at_the_same_instant(alert, clinician, backup, now):
    owners = []

    def press(member):
        return lambda: owners.append(alerts.take(alert, by=member_actor(member), now=now))

    at_once(press(clinician), press(backup))
    assert len(owners) == 2
    assert owners[0] == owners[1]
    kinds = list(alert.events.values_list("kind", flat=True))
    assert (kinds.count("taken"), kinds.count("note")) == (1, 1)
