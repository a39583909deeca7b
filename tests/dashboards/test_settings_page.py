"""The clinic's own page: cover, people, and what is sent until a responder is proven."""

import html
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from clinic import enrolment, settling
from clinic.models import AuditEntry, Member
from clinic.refusals import Refused
from surveys import alerts, cover
from surveys.models import Alert
from tests.builders import BY_TEST

pytestmark = pytest.mark.django_db
URL = "/clinic/"


def body(response) -> str:
    return html.unescape(response.content.decode())


def typed(**changes: object) -> dict[str, object]:
    return {
        "sender_name": "Care Team",
        "phone": "432 555 0100",
        "cover": "always",
        "mailbox_reader": "Dr. Lee",
        "reply_within_minutes": "30",
        "staffed_days": ["0", "1"],
        "staffed_from": "08:00",
        "staffed_until": "17:00",
        "quiet_from": "21:00",
        "quiet_until": "08:00",
        **changes,
    }


def test_without_a_proven_responder_phq8_is_sent_and_why(admin, desk_of):
    page = body(desk_of(admin).get(URL))
    assert "PHQ-8 is sent instead of PHQ-9" in page
    assert "Nobody is a responder yet." in page


def test_from_no_responder_to_ready_in_three_steps(admin, clinician, desk_of, later):
    client = desk_of(admin)
    client.post(reverse("dashboards:responder", args=[clinician.pk]), {"is_responder": "1"})
    assert "Send a test alert" in body(client.get(URL))
    client.post(reverse("dashboards:test-alert"))
    assert "A test alert is waiting" in body(client.get(URL))
    desk_of(clinician).post(reverse("dashboards:take-alert", args=[Alert.objects.get().pk]))
    page = body(desk_of(admin).get(URL))
    assert "PHQ-9 will be sent" in page
    assert "yes, test taken" in page
    assert cover.cover_of(admin.clinic, now=later) == "weekdays"


def test_a_proof_grows_old(admin, clinician, desk_of, later):
    long_ago = later - timedelta(days=90)
    Member.objects.filter(pk=clinician.pk).update(is_responder=True)
    sent = alerts.send_test(admin.clinic, admin, by=BY_TEST, now=long_ago)
    Alert.objects.filter(pk=sent.pk).update(owner=clinician, taken_at=long_ago, closed_at=long_ago)
    assert "yes, but no test taken" in body(desk_of(admin).get(URL))


def test_only_clinical_roles_can_be_told(admin, coordinator, desk_of):
    client = desk_of(admin)
    client.post(reverse("dashboards:responder", args=[coordinator.pk]), {"is_responder": "1"})
    coordinator.refresh_from_db()
    assert not coordinator.is_responder


def test_closed_days_are_kept_in_order_each_once(admin, desk_of):
    client = desk_of(admin)
    written = "2026-12-25\n\n 2026-11-26\n2026-12-25"
    assert client.post(URL, typed(closed_dates=written)).status_code == 302
    admin.clinic.refresh_from_db()
    assert admin.clinic.closed_dates == ["2026-11-26", "2026-12-25"]
    assert "2026-11-26\n2026-12-25</textarea>" in body(client.get(URL))


def test_what_is_no_date_is_refused_and_stays_as_typed(admin, desk_of):
    page = body(desk_of(admin).post(URL, typed(closed_dates="2026-12-25\nThanksgiving")))
    assert "“Thanksgiving” is not a date." in page
    assert "2026-12-25\nThanksgiving</textarea>" in page
    admin.clinic.refresh_from_db()
    assert admin.clinic.closed_dates == []


def test_hours_and_cover_are_kept_and_audited(admin, desk_of):
    assert desk_of(admin).post(URL, typed()).status_code == 302
    admin.clinic.refresh_from_db()
    assert (admin.clinic.cover, admin.clinic.staffed_days) == ("always", [0, 1])
    entry = AuditEntry.objects.get(action="change clinic")
    assert "cover" in entry.fields


def test_saving_the_same_again_writes_nothing(admin, desk_of):
    client = desk_of(admin)
    client.post(URL, typed())
    client.post(URL, typed())
    assert AuditEntry.objects.filter(action="change clinic").count() == 1


def test_quiet_hours_without_an_end_are_refused(admin, desk_of):
    page = body(desk_of(admin).post(URL, typed(quiet_until="21:00")))
    assert "Quiet hours need a beginning and an end." in page
    assert 'value="432 555 0100"' in page


def test_changed_cover_moves_every_plan(admin, course, desk_of, later):
    before = course.revision
    desk_of(admin).post(URL, typed())
    course.refresh_from_db()
    assert course.revision == before + 1
    assert course.replan_at == later


def test_the_days_for_e_mail_are_kept_audited_and_planned_for(admin, course, desk_of, later):
    before = course.revision
    assert desk_of(admin).post(URL, typed(allowed_days=["0", "3"])).status_code == 302
    admin.clinic.refresh_from_db()
    course.refresh_from_db()
    assert admin.clinic.allowed_days == [0, 3]
    assert "allowed_days" in AuditEntry.objects.get(action="change clinic").fields
    assert (course.revision, course.replan_at) == (before + 1, later)


def test_a_day_that_is_none_is_refused(admin):
    with pytest.raises(Refused):
        settling.change(admin.clinic, {"allowed_days": [7]}, by=BY_TEST, now=admin.joined_at)


def test_staff_see_who_would_never_be_mailed_on_the_clinics_days(admin, course, desk_of, later):
    client = desk_of(admin)
    page = reverse("dashboards:patient", args=[course.patient_id])
    weekend = {"allowed_days": (5, 6)}
    enrolment.change_details(course.patient, weekend, by=BY_TEST, now=later)
    assert "Saturday, Sunday" in body(client.get(page))
    assert "days on which this clinic does not mail" not in body(client.get(URL))
    client.post(URL, typed(allowed_days=["0", "1"]))
    assert "1 patient chose only days on which this clinic does not mail." in body(client.get(URL))
    assert "the patient's own are used" in body(client.get(page))


def test_a_partly_verified_text_is_switched_on_knowingly(admin, desk_of):
    client = desk_of(admin)
    assert "only partly verified" in body(client.get(URL))
    client.post(reverse("dashboards:switch-text"), {"text": "gad7:es", "on": "1"})
    admin.clinic.refresh_from_db()
    assert admin.clinic.switched_on == ["gad7:es"]
    client.post(reverse("dashboards:switch-text"), {"text": "gad7:es", "on": "0"})
    admin.clinic.refresh_from_db()
    assert admin.clinic.switched_on == []


def test_a_text_that_does_not_wait_for_anybody_cannot_be_switched(admin, desk_of):
    desk_of(admin).post(reverse("dashboards:switch-text"), {"text": "phq9:fr", "on": "1"})
    admin.clinic.refresh_from_db()
    assert admin.clinic.switched_on == []


def test_inviting_a_colleague(admin, desk_of):
    given = {"invite-email": "new@north.example", "invite-role": "coordinator"}
    page = body(desk_of(admin).post(reverse("dashboards:invite"), given))
    member = Member.objects.get(user__email="new@north.example")
    assert member.role == "coordinator"
    (sent,) = mail.outbox
    assert sent.to == ["new@north.example"]
    assert "/accounts/invitation/" in sent.body
    assert "An invitation went to new@north.example" in page
    assert "/accounts/invitation/" not in page


def test_inviting_somebody_who_works_here_is_refused(admin, clinician, desk_of):
    given = {"invite-email": clinician.user.email, "invite-role": "viewer"}
    page = body(desk_of(admin).post(reverse("dashboards:invite"), given))
    assert "works here already" in page
    assert mail.outbox == []


def test_somebody_with_an_account_is_added_without_an_invitation(
    admin, other_clinic_admin, desk_of
):
    given = {"invite-email": other_clinic_admin.user.email, "invite-role": "viewer"}
    page = body(desk_of(admin).post(reverse("dashboards:invite"), given, follow=True))
    assert "signs in with the password they have" in page
    assert Member.objects.filter(user=other_clinic_admin.user).count() == 2


def test_another_clinics_member_cannot_be_changed(admin, other_clinic_admin, desk_of):
    url = reverse("dashboards:responder", args=[other_clinic_admin.pk])
    assert desk_of(admin).post(url, {"is_responder": "1"}).status_code == 404


def test_the_page_says_who_is_told_when_no_responder_takes_an_alert(
    admin, clinician, coordinator, desk_of
):
    said = "one after the other: Clinician, "
    client = desk_of(admin)
    assert said in body(client.get(URL))
    client.post(reverse("dashboards:responder", args=[clinician.pk]), {"is_responder": "1"})
    assert said not in body(client.get(URL))
    assert "Coordinator" not in body(client.get(URL)).partition("one after the other: ")[2][:200]
    Member.objects.filter(role=Member.Role.ADMIN).update(is_responder=True)
    assert "nobody further can be told" in body(client.get(URL))
