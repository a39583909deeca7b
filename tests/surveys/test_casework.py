"""An alert from hand to hand: taken, called about, handed over, ended by two, opened again."""

import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from clinic import enrolment
from clinic.actors import member_actor
from clinic.models import AuditEntry, Member
from clinic.refusals import Refused
from surveys import alerts, contacting, ending
from surveys.case import Contact, Do, next_step
from surveys.case_file import NotClinical, case_of
from surveys.models import Alert, AlertEvent, ContactAttempt
from surveys.signals import alert_raised
from tests.builders import BY_TEST, make_member
from tests.surveys.ends import call, close, closing
from tests.surveys.follow_ups import answer
from tests.surveys.test_alerts import at_once

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def alert(follow_up, now) -> Alert:
    answer(follow_up, "phq9/9", 3, now=now)
    return Alert.objects.get()


@pytest.fixture
def backup(clinic, now) -> Member:
    return make_member(clinic, Member.Role.CLINICIAN, now=now, email="backup@north.example")


def kinds(alert: Alert) -> list[str]:
    return list(alert.events.order_by("pk").values_list("kind", flat=True))


def fresh(alert: Alert) -> Alert:
    return Alert.objects.get(pk=alert.pk)


def next_is(alert: Alert) -> Do:
    return next_step(case_of(fresh(alert))).do


# -- Contacts ---------------------------------------------------------------------------------


def test_a_try_is_kept_with_when_how_by_whom_and_what_came_of_it(alert, clinician, now):
    alerts.take(alert, by=member_actor(clinician), now=now + MINUTE)
    made = call(alert, "left_message", by=clinician, at=now + 5 * MINUTE)
    assert (made.at, made.how, made.outcome) == (now + 5 * MINUTE, "phone", "left_message")
    assert made.member == clinician
    told = alert.events.get(kind="contact")
    assert told.detail.startswith("Telephone, 2026-03-03 09:05: Left a message.")
    assert AuditEntry.objects.filter(action="record contact", object_id=str(alert.pk)).count() == 1


def test_the_same_form_sent_twice_is_one_try(alert, clinician, now):
    once, contact = uuid.uuid4(), Contact(now, "phone", "no_answer")
    for _ in range(2):
        contacting.record(alert, contact, "", once=once, by=member_actor(clinician), now=now)
    assert ContactAttempt.objects.count() == 1
    assert kinds(alert).count("contact") == 1


def test_whoever_calls_about_an_alert_that_nobody_has_has_taken_it(alert, clinician, now):
    call(alert, by=clinician, at=now + MINUTE)
    assert (fresh(alert).owner, fresh(alert).taken_at) == (clinician, now + MINUTE)


def test_a_colleagues_call_takes_nothing_away(alert, clinician, backup, now):
    alerts.take(alert, by=member_actor(clinician), now=now)
    call(alert, by=backup, at=now)
    assert fresh(alert).owner == clinician


@pytest.mark.parametrize("minutes", [-2, 2])
def test_a_call_was_made_after_the_alert_and_before_now(alert, clinician, now, minutes):
    contact = Contact(now + minutes * MINUTE, "phone", "no_answer")
    with pytest.raises(Refused) as refused:
        contacting.record(
            alert, contact, "", once=uuid.uuid4(), by=member_actor(clinician), now=now
        )
    assert refused.value.field == "contact_at"
    assert not ContactAttempt.objects.exists()
    assert fresh(alert).owner is None


def test_two_calls_in_vain_lead_to_somebody_close_and_then_to_a_decision(alert, clinician, now):
    for n in range(2):
        call(alert, by=clinician, at=now + n * MINUTE)
    assert next_is(alert) is Do.CALL_TRUSTED
    call(alert, by=clinician, at=now + 3 * MINUTE, how="trusted")
    assert next_is(alert) is Do.DECIDE


def test_no_try_is_ever_rewritten(alert, clinician, now):
    made = call(alert, by=clinician, at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        ContactAttempt.objects.update(outcome="reached")
    with pytest.raises(DatabaseError), transaction.atomic():
        made.delete()


# -- From hand to hand ------------------------------------------------------------------------


def test_handed_over_it_stays_with_the_first_until_the_other_takes_it(
    alert, clinician, backup, now
):
    alerts.take(alert, by=member_actor(clinician), now=now)
    contacting.hand_over(alert, backup, "You know her.", by=member_actor(clinician), now=now + DAY)
    assert (fresh(alert).owner, fresh(alert).offered_to) == (clinician, backup)
    assert next_is(alert) is Do.ACCEPT
    assert alerts.take(alert, by=member_actor(backup), now=now + 2 * DAY) == backup
    there = fresh(alert)
    assert (there.owner, there.taken_at, there.offered_to) == (backup, now, None)
    assert kinds(alert) == ["raised", "taken", "offered", "handed_over"]
    assert AuditEntry.objects.filter(action="hand over alert").count() == 1


def test_the_one_it_is_handed_to_is_told_once_it_is_committed(
    alert, clinician, backup, now, django_capture_on_commit_callbacks
):
    heard = []

    def hear(sender, alert_id, **kwargs):
        heard.append(alert_id)

    alert_raised.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            contacting.hand_over(alert, backup, "", by=member_actor(clinician), now=now)
            assert heard == []
    finally:
        alert_raised.disconnect(hear)
    assert heard == [alert.pk]


def test_handed_over_twice_is_once(alert, clinician, backup, now):
    for _ in range(2):
        contacting.hand_over(alert, backup, "", by=member_actor(clinician), now=now)
    assert kinds(alert).count("offered") == 1


def test_the_owner_may_keep_it_after_all(alert, clinician, backup, now):
    contacting.hand_over(alert, backup, "", by=member_actor(clinician), now=now)
    assert alerts.take(alert, by=member_actor(clinician), now=now) == clinician
    assert fresh(alert).offered_to is None
    assert alerts.take(alert, by=member_actor(backup), now=now) == clinician


def test_a_third_does_not_get_what_was_handed_to_another(alert, clinician, backup, admin, now):
    contacting.hand_over(alert, backup, "", by=member_actor(clinician), now=now)
    assert alerts.take(alert, by=member_actor(admin), now=now) == clinician
    assert fresh(alert).offered_to == backup


@pytest.mark.parametrize("who", ["viewer", "other_clinic_admin", "clinician"])
def test_it_is_handed_only_to_another_who_may_take_it(alert, clinician, now, request, who):
    to = request.getfixturevalue(who)
    with pytest.raises(Refused) as refused:
        contacting.hand_over(alert, to, "", by=member_actor(clinician), now=now)
    assert refused.value.field == "to"
    assert fresh(alert).owner is None


def test_what_somebody_had_who_works_here_no_more_may_be_taken(alert, clinician, backup, now):
    alerts.take(alert, by=member_actor(clinician), now=now)
    Member.objects.filter(pk=clinician.pk).update(active=False)
    assert alerts.take(alert, by=member_actor(backup), now=now + MINUTE) == backup


# -- The end ----------------------------------------------------------------------------------


def test_the_end_says_what_came_of_it_and_what_follows(alert, clinician, now):
    close(alert, "spoke", by=clinician, now=now)
    ended = fresh(alert)
    assert (ended.closed_at, ended.outcome, ended.plan) == (now, "spoke", "safety_plan")
    assert (ended.assessed_with, ended.found) == ("interview", "low")
    assert ended.next_contact_on == (now + 7 * DAY).date()
    assert kinds(alert) == ["raised", "contact", "taken", "closed"]


def test_an_end_that_is_refused_leaves_nothing_behind(alert, clinician, now):
    with pytest.raises(Refused) as refused:
        close(alert, "spoke", plan="", by=clinician, now=now)
    assert refused.value.field == "plan"
    assert not ContactAttempt.objects.exists()
    assert (fresh(alert).owner, fresh(alert).outcome) == (None, "")
    assert kinds(alert) == ["raised"]


def test_an_end_whose_form_was_sent_twice_tells_of_one_contact(alert, clinician, now):
    once, by = uuid.uuid4(), member_actor(clinician)
    for _ in range(2):
        ending.close(alert, closing("spoke", now=now), once=once, by=by, now=now)
    assert ContactAttempt.objects.count() == 1


def test_of_a_critical_one_without_contact_a_second_person_agrees_to_the_end(
    alert, clinician, backup, now
):
    close(alert, "welfare", by=clinician, now=now)
    assert fresh(alert).closed_at is None
    assert next_is(alert) is Do.CONFIRM
    with pytest.raises(Refused):
        ending.confirm(alert, True, "", by=member_actor(clinician), now=now)
    ending.confirm(alert, True, "Agreed.", by=member_actor(backup), now=now + MINUTE)
    ended = fresh(alert)
    assert (ended.closed_at, ended.closing_by) == (now + MINUTE, None)
    assert (ended.outcome, ended.owner) == ("welfare", clinician)
    assert kinds(alert)[-2:] == ["to_confirm", "confirmed"]
    again = ending.confirm(alert, True, "", by=member_actor(backup), now=now + DAY)
    assert again.closed_at == now + MINUTE


def test_the_second_person_may_send_it_back(alert, clinician, backup, now):
    close(alert, "welfare", by=clinician, now=now)
    ending.confirm(alert, False, "Call once more.", by=member_actor(backup), now=now)
    sent_back = fresh(alert)
    assert (sent_back.closing_by, sent_back.outcome, sent_back.plan) == (None, "", "")
    assert next_is(alert) is Do.CALL


def test_what_happens_since_takes_the_wish_to_close_back(alert, clinician, backup, now):
    close(alert, "welfare", by=clinician, now=now)
    call(alert, by=clinician, at=now + MINUTE)
    with pytest.raises(Refused):
        ending.confirm(alert, True, "", by=member_actor(backup), now=now + MINUTE)
    close(alert, "welfare", by=clinician, now=now + 2 * MINUTE)
    alerts.escalate(alert, "able to keep safe: no", by=BY_TEST, now=now + 3 * MINUTE)
    assert fresh(alert).closing_by is None
    close(alert, "welfare", by=clinician, now=now + 4 * MINUTE)
    answer(alert.follow_up, "phq9/9", 1, now=now + 5 * MINUTE)
    assert fresh(alert).closing_by is None


def test_an_end_takes_an_offer_with_it(alert, clinician, backup, now):
    contacting.hand_over(alert, backup, "", by=member_actor(clinician), now=now)
    close(alert, "spoke", by=clinician, now=now)
    assert (fresh(alert).offered_to, fresh(alert).offered_at) == (None, None)


def test_of_a_patient_who_died_no_next_contact_is_asked(alert, patient, clinician, now):
    enrolment.mark_deceased(patient, by=BY_TEST, now=now)
    close(alert, "spoke", next_contact_on=None, by=clinician, now=now)
    assert fresh(alert).closed_at == now


def test_a_test_alert_is_no_case(clinic, clinician, backup, now):
    test = alerts.send_test(clinic, clinician, by=BY_TEST, now=now)
    by = member_actor(clinician)
    for act in (
        lambda: call(test, by=clinician, at=now),
        lambda: close(test, "spoke", by=clinician, now=now),
        lambda: contacting.hand_over(test, backup, "", by=by, now=now),
        lambda: ending.reopen(test, "x", by=by, now=now),
    ):
        with pytest.raises(Refused):
            act()


# -- Again ------------------------------------------------------------------------------------


def test_reopened_it_begins_anew_and_keeps_its_history(alert, clinician, backup, now):
    close(alert, "spoke", by=clinician, now=now)
    ending.reopen(alert, "Her sister rang.", by=member_actor(backup), now=now + DAY)
    there = fresh(alert)
    assert (there.closed_at, there.outcome, there.next_contact_on) == (None, "", None)
    assert (there.owner, there.taken_at, there.reopened_at) == (backup, now, now + DAY)
    assert next_is(alert) is Do.CALL, "what was said before does not count"
    assert kinds(alert) == ["raised", "contact", "taken", "closed", "reopened"]
    with pytest.raises(Refused):
        close(there, "spoke", contact=None, by=backup, now=now + DAY)


def test_reopening_needs_a_reason_and_happens_once(alert, clinician, now):
    close(alert, "spoke", by=clinician, now=now)
    with pytest.raises(Refused):
        ending.reopen(alert, " ", by=member_actor(clinician), now=now)
    for days in (1, 2):
        ending.reopen(alert, "She rang.", by=member_actor(clinician), now=now + days * DAY)
    assert fresh(alert).reopened_at == now + DAY


def test_a_form_from_before_it_was_opened_again_does_nothing(alert, clinician, backup, now):
    by = member_actor(clinician)
    end = closing("spoke", now=now)
    ending.close(alert, end, begun=now, by=by, now=now)
    ending.reopen(alert, "She rang.", begun=now, by=by, now=now + DAY)
    with pytest.raises(Refused):
        ending.close(alert, end, begun=now, by=by, now=now + DAY)
    assert fresh(alert).closed_at is None
    later = now + DAY + MINUTE
    ending.close(alert, closing("spoke", now=later), begun=now + DAY, by=by, now=later)
    with pytest.raises(Refused):
        ending.reopen(alert, "She rang.", begun=now, by=by, now=now + 2 * DAY)
    assert fresh(alert).closed_at == later
    ending.reopen(alert, "Again.", begun=now + DAY, by=by, now=now + 2 * DAY)
    close(alert, "welfare", by=clinician, now=now + 2 * DAY)
    with pytest.raises(Refused):
        ending.confirm(alert, True, "", begun=now + DAY, by=member_actor(backup), now=now + 2 * DAY)
    assert fresh(alert).closed_at is None


# -- Walls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["coordinator", "viewer", "other_clinic_admin"])
def test_only_clinical_members_of_the_clinic_act(alert, backup, now, request, who):
    member = request.getfixturevalue(who)
    by = member_actor(member)
    for act in (
        lambda: call(alert, by=member, at=now),
        lambda: contacting.hand_over(alert, backup, "", by=by, now=now),
        lambda: ending.confirm(alert, True, "", by=by, now=now),
        lambda: ending.reopen(alert, "x", by=by, now=now),
    ):
        with pytest.raises(NotClinical):
            act()


def test_the_database_refuses_an_offer_without_an_owner(alert, backup, now):
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.filter(pk=alert.pk).update(offered_to=backup, offered_at=now)


def test_the_longest_note_is_kept_whole(alert, clinician, now):
    note = "x" * 400
    close(alert, "spoke", note=note, by=clinician, now=now)
    assert AlertEvent.objects.get(kind="closed").detail.endswith(note)


# -- At the same instant ----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_ends_at_the_same_instant_are_one_end(alert, clinician, backup, now):
    at_once(
        lambda: close(alert, "spoke", by=clinician, now=now),
        lambda: close(alert, "seen", by=backup, now=now),
    )
    assert kinds(alert).count("closed") == 1
    assert kinds(alert).count("note") == 1, "the second end is in the history"
    assert fresh(alert).outcome in ("spoke", "seen")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_taken_and_handed_over_at_the_same_instant_has_one_owner(alert, clinician, backup, now):
    at_once(
        lambda: alerts.take(alert, by=member_actor(backup), now=now),
        lambda: hand_over_or_be_told(alert, clinician, backup, now),
    )
    there = fresh(alert)
    assert there.owner in (clinician, backup)
    assert there.offered_to != there.owner


def hand_over_or_be_told(alert, by, to, now):
    try:
        contacting.hand_over(alert, to, "", by=member_actor(by), now=now)
    except Refused:
        assert fresh(alert).owner == to


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_call_from_two_tabs_at_the_same_instant_is_one(alert, clinician, now):
    once, contact = uuid.uuid4(), Contact(now, "phone", "no_answer")
    by = member_actor(clinician)
    at_once(*[lambda: contacting.record(alert, contact, "", once=once, by=by, now=now)] * 3)
    assert ContactAttempt.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_agreed_to_and_called_about_at_the_same_instant(alert, clinician, backup, now):
    close(alert, "welfare", by=clinician, now=now)

    def agree():
        try:
            ending.confirm(alert, True, "", by=member_actor(backup), now=now)
        except Refused:
            assert fresh(alert).closing_by is None

    at_once(agree, lambda: call(alert, by=clinician, at=now))
    there = fresh(alert)
    assert there.closing_by is None
    assert (there.closed_at is None) == (there.outcome == "")
