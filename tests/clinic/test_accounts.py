"""How staff come in, stay in, and are let out again."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse

from clinic import invitations
from clinic.actors import member_actor
from clinic.models import AuditEntry, Clinic, Member, User
from clinic.refusals import Refused
from tests.builders import BY_TEST, PASSWORD, make_clinic

NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
SIGN_IN = "/accounts/login/"
NEW = {"name": "Dr. Ada Lee", "password": "seventeen sea otters", "again": "seventeen sea otters"}


def open_clinic(capsys, name="North Clinic", zone="America/Chicago", admin="ada@north.example"):
    call_command("open_clinic", name, zone=zone, admin=admin)
    return capsys.readouterr().out


def path_of(output: str) -> str:
    found = re.search(r"http://[^/]+(/accounts/invitation/\S+)", output)
    assert found, output
    return found.group(1)


def sign_in(client, email, password=PASSWORD):
    return client.post(SIGN_IN, {"login": email, "password": password})


@pytest.fixture
def invited(clinic, now):
    """The administrator whom opening the clinic made, not yet arrived."""
    return clinic.members.get()


# -- Invitations ------------------------------------------------------------------------------


def test_an_invitation_ends_in_a_signed_in_administrator(db, client, capsys):
    path = path_of(open_clinic(capsys))
    assert "North Clinic" in client.get(path).content.decode()
    assert client.post(path, NEW).url == SIGN_IN
    assert sign_in(client, "ada@north.example", NEW["password"]).status_code == 302
    user = User.objects.get()
    assert (user.name, user.memberships.get().role) == ("Dr. Ada Lee", Member.Role.ADMIN)
    assert AuditEntry.objects.filter(action="accept invitation").count() == 1


def test_looking_at_an_invitation_does_not_use_it_up(db, client, capsys):
    path = path_of(open_clinic(capsys))
    for _ in range(3):
        client.get(path)
        client.head(path)
    assert client.post(path, NEW).status_code == 302


def test_an_invitation_works_once(db, client, capsys):
    path = path_of(open_clinic(capsys))
    client.post(path, NEW)
    assert client.get(path).status_code == 410
    other = {**NEW, "password": "eighteen sea otters", "again": "eighteen sea otters"}
    assert client.post(path, other).status_code == 410
    assert User.objects.get().check_password(NEW["password"])


def test_two_who_accept_at_once_do_not_both_succeed(invited, now):
    token = invitations.invite(invited, by=BY_TEST, now=now).split("/")[-2]
    stale = Member.objects.select_related("user").get(pk=invited.pk)
    for name in ("first", "second"):
        given = {"name": name, "password": PASSWORD, "by": member_actor(stale), "now": now}
        if name == "first":
            invitations.accept(stale, token, **given)
        else:
            with pytest.raises(Refused):
                invitations.accept(stale, token, **given)
    assert User.objects.get().name == "first"


@pytest.mark.parametrize(
    ("after", "stands"),
    [
        pytest.param(timedelta(hours=72), True, id="exactly 72 hours"),
        pytest.param(timedelta(hours=72, seconds=1), False, id="a second more"),
    ],
)
def test_an_invitation_lasts_72_hours(invited, now, after, stands):
    _, uid, token, _ = invitations.invite(invited, by=BY_TEST, now=now).rsplit("/", 3)
    assert bool(invitations.standing(uid, token, now=now + after)) is stands


def test_a_newer_invitation_ends_the_older(db, client, capsys):
    older, newer = path_of(open_clinic(capsys)), path_of(open_clinic(capsys))
    assert Clinic.objects.count() == Member.objects.count() == 1
    assert client.get(older).status_code == 410
    assert client.get(newer).status_code == 200


def test_an_invitation_opens_no_other_account(invited, other_clinic, now):
    elsewhere = other_clinic.members.get()
    _, uid, _, _ = invitations.invite(invited, by=BY_TEST, now=now).rsplit("/", 3)
    _, _, token, _ = invitations.invite(elsewhere, by=BY_TEST, now=now).rsplit("/", 3)
    assert invitations.standing(uid, token, now=now) is None


def test_a_member_switched_off_cannot_accept(invited, now):
    _, uid, token, _ = invitations.invite(invited, by=BY_TEST, now=now).rsplit("/", 3)
    Member.objects.update(active=False)
    assert invitations.standing(uid, token, now=now) is None


@pytest.mark.parametrize("path", ["x/y", "AAAA/1.b", "%00/1", "AAAAAAAAAAAAAAAAAAAAAA/s.t"])
def test_a_mangled_invitation_is_a_closed_one(db, client, path):
    assert client.get(f"/accounts/invitation/{path}/").status_code == 410


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"password": "short", "again": "short"}, "password", id="short password"),
        pytest.param({"again": "eighteen sea otters"}, "again", id="two passwords"),
    ],
)
def test_a_bad_first_password_keeps_the_invitation_open(db, client, capsys, changes, field):
    path = path_of(open_clinic(capsys))
    page = client.post(path, {**NEW, **changes})
    assert page.context["form"].errors.keys() == {field}
    assert "There is a problem" in page.content.decode()
    assert client.post(path, NEW).status_code == 302


# -- open_clinic ------------------------------------------------------------------------------


def test_opening_again_after_acceptance_says_where_to_sign_in(db, client, capsys):
    client.post(path_of(open_clinic(capsys)), NEW)
    said = open_clinic(capsys)
    assert "/accounts/login/" in said
    assert "/invitation/" not in said


def test_somebody_elses_clinic_is_not_opened_twice(db, capsys):
    open_clinic(capsys)
    with pytest.raises(CommandError, match="exists already"):
        open_clinic(capsys, name="north  clinic", admin="eve@north.example")
    assert Clinic.objects.count() == 1
    assert User.objects.count() == 1


def test_a_person_with_an_account_gets_the_second_clinic_without_an_invitation(db, client, capsys):
    client.post(path_of(open_clinic(capsys)), NEW)
    assert "can sign in" in open_clinic(capsys, name="West Clinic", admin="Ada@North.example")
    assert User.objects.get().memberships.count() == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"zone": "Texas"}, "time zone", id="no zone"),
        pytest.param({"admin": "ada"}, "e-mail address", id="no address"),
        pytest.param({"name": "  "}, "name", id="no name"),
        pytest.param({"name": "x" * 121}, "120", id="long name"),
    ],
)
def test_a_clinic_that_cannot_be_is_refused_in_one_line(db, capsys, given, said):
    with pytest.raises(CommandError, match=said) as refusal:
        open_clinic(capsys, **given)
    assert "\n" not in str(refusal.value)
    assert not Clinic.objects.exists()


# -- Signing in and out -----------------------------------------------------------------------


@pytest.fixture
def arrived(clinician, client):
    sign_in(client, clinician.user.email)
    return client


def test_the_pages_say_the_same_to_known_and_unknown(clinician, admin, coordinator, client):
    """Wrong password, nobody, not yet arrived, switched off: one answer."""
    User.objects.filter(pk=coordinator.user_id).update(is_active=False)
    bodies = set()
    for email in (clinician.user.email, "nobody@north.example", "admin@north.example"):
        page = sign_in(client, email, "wrong").content.decode()
        bodies.add(re.sub(r'(name="csrfmiddlewaretoken" value|value)="[^"]*"', "", page))
    assert len(bodies) == 1
    off = sign_in(client, coordinator.user.email, "wrong").content.decode()
    assert re.sub(r'(name="csrfmiddlewaretoken" value|value)="[^"]*"', "", off) in bodies


def test_an_account_switched_off_does_not_sign_in(clinician, client):
    User.objects.update(is_active=False)
    sign_in(client, clinician.user.email)
    assert "_auth_user_id" not in client.session


def test_signing_up_is_closed(db, client):
    data = {"email": "eve@example.com", "password1": PASSWORD}
    client.post("/accounts/signup/", data)
    assert not User.objects.exists()
    assert "by invitation" in client.get("/accounts/signup/").content.decode()


def test_guessing_is_slowed_down_for_one_account_only(clinician, admin, client):
    for _ in range(10):
        sign_in(client, clinician.user.email, "wrong")
    cache_key_spent = sign_in(client, clinician.user.email)
    assert "Too many" in cache_key_spent.content.decode()
    client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert sign_in(client, admin.user.email).status_code == 302


def test_the_counters_end_by_themselves(clinician, client):
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(10):
            sign_in(client, clinician.user.email, "wrong")
        clock.shift(timedelta(minutes=16))
        assert sign_in(client, clinician.user.email).status_code == 302


def test_staff_sign_in_while_redis_is_away(clinician, client, settings):
    settings.CACHES = {
        "default": {"BACKEND": "config.counters.Counters", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert sign_in(client, clinician.user.email, "wrong").status_code == 200
    assert sign_in(client, clinician.user.email).status_code == 302


def test_a_new_session_id_comes_with_signing_in(clinician, client):
    client.get(SIGN_IN)
    session = client.session
    session["before"] = 1
    session.save()
    before = session.session_key
    client.cookies["staff"] = before
    sign_in(client, clinician.user.email)
    assert client.session.session_key != before


def test_signing_out_is_a_button_and_empties_the_browser(arrived):
    assert arrived.get("/accounts/logout/").status_code == 200
    assert "_auth_user_id" in arrived.session
    answer = arrived.post("/accounts/logout/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "_auth_user_id" not in arrived.session


def test_a_stolen_cookie_dies_with_signing_out(arrived, client):
    cookie = arrived.cookies["staff"].value
    arrived.post("/accounts/logout/")
    client.cookies["staff"] = cookie
    assert client.get("/accounts/clinic/").status_code == 302


def test_switching_an_account_off_ends_its_sessions(arrived, clinician):
    assert arrived.get("/accounts/clinic/").status_code == 200
    User.objects.filter(pk=clinician.user_id).update(is_active=False)
    assert arrived.get("/accounts/clinic/").status_code == 302


@pytest.mark.parametrize(
    ("minutes", "status"),
    [pytest.param(14.9, 200, id="just in time"), pytest.param(15, 302, id="fifteen minutes")],
)
def test_fifteen_idle_minutes_end_the_session(clinician, client, minutes, status):
    with time_machine.travel(NOW, tick=False) as clock:
        sign_in(client, clinician.user.email)
        client.get("/accounts/clinic/")
        clock.shift(timedelta(minutes=minutes))
        answer = client.get("/accounts/clinic/")
    assert answer.status_code == status


def test_a_page_that_asks_by_itself_does_not_keep_the_session(clinician, client):
    with time_machine.travel(NOW, tick=False) as clock:
        sign_in(client, clinician.user.email)
        client.get("/accounts/clinic/")
        for _ in range(3):
            clock.shift(timedelta(minutes=5))
            answer = client.get("/accounts/clinic/", headers={"X-Background": "1"})
    assert answer.status_code == 302


def test_twelve_hours_end_the_busiest_session(clinician, client):
    statuses = []
    with time_machine.travel(NOW, tick=False) as clock:
        sign_in(client, clinician.user.email)
        for _ in range(74):
            statuses.append(client.get("/accounts/clinic/").status_code)
            clock.shift(timedelta(minutes=10))
    assert statuses.index(302) == 72


# -- Passwords --------------------------------------------------------------------------------


def reset_path(client, email) -> str:
    client.post("/accounts/password/reset/", {"email": email})
    found = re.search(r"http://localhost:8000(/\S+)", mail.outbox[-1].body)
    assert found
    return found.group(1)


def set_password(client, path, password):
    form = client.get(path).url
    return client.post(form, {"password1": password, "password2": password})


def test_a_password_is_reset_by_mail_without_signing_in(clinician, client):
    path = reset_path(client, clinician.user.email)
    assert set_password(client, path, NEW["password"]).status_code == 302
    assert "_auth_user_id" not in client.session
    assert User.objects.get(pk=clinician.user_id).check_password(NEW["password"])
    assert mail.outbox[-1].subject == "Your password was changed"
    assert NEW["password"] not in mail.outbox[-1].body


def test_a_reset_works_once_and_for_thirty_minutes(clinician, client):
    with time_machine.travel(NOW, tick=False) as clock:
        path = reset_path(client, clinician.user.email)
        clock.shift(timedelta(minutes=31))
        assert "does not work any more" in client.get(path).content.decode()
        clock.shift(timedelta(minutes=-31))
        set_password(client, path, NEW["password"])
        assert "does not work any more" in client.get(path).content.decode()


def test_a_reset_link_points_home_whatever_the_request_says(clinician, client, settings):
    settings.ALLOWED_HOSTS = ["*"]
    client.defaults["HTTP_HOST"] = "evil.example"
    reset_path(client, clinician.user.email)
    assert "evil.example" not in mail.outbox[-1].body


def test_asking_for_a_reset_reveals_nobody(clinician, client):
    known = client.post("/accounts/password/reset/", {"email": clinician.user.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@north.example"})
    assert known.url == unknown.url
    assert [message.subject for message in mail.outbox] == ["Reset your password"] * 2
    assert "/accounts/" not in mail.outbox[1].body


def test_on_hold_no_mail_goes_to_an_address_without_an_account(clinician, client, settings):
    settings.MAIL_MODE = "hold"
    client.post("/accounts/password/reset/", {"email": "patient@example.com"})
    assert not mail.outbox
    client.post("/accounts/password/reset/", {"email": clinician.user.email})
    assert mail.outbox[0].to == [clinician.user.email]


def test_redirected_mail_of_accounts_goes_to_the_test_address(clinician, client, settings):
    settings.MAIL_MODE = "redirect:test@example.org"
    client.post("/accounts/password/reset/", {"email": clinician.user.email})
    assert mail.outbox[0].to == ["test@example.org"]


def test_a_changed_password_ends_the_other_sessions(arrived, clinician, client):
    elsewhere = type(client)()
    sign_in(elsewhere, clinician.user.email)
    data = {
        "oldpassword": PASSWORD,
        "password1": NEW["password"],
        "password2": NEW["password"],
    }
    assert arrived.post("/accounts/password/change/", data).status_code == 302
    assert arrived.get("/accounts/clinic/").status_code == 200
    assert elsewhere.get("/accounts/clinic/").status_code == 302


# -- Several clinics --------------------------------------------------------------------------


@pytest.fixture
def second(clinician, now):
    """The clinician's membership in a second clinic, as a viewer."""
    return Member.objects.create(
        clinic=make_clinic("West Clinic", now=now),
        user=clinician.user,
        role=Member.Role.VIEWER,
        joined_at=now + timedelta(days=1),
    )


def test_one_clinic_at_a_time_until_the_other_is_chosen(arrived, clinician, second):
    assert arrived.get("/accounts/clinic/").wsgi_request.member == clinician
    before = arrived.session.session_key
    assert arrived.post("/accounts/clinic/", {"member": str(second.pk)}).status_code == 302
    assert arrived.session.session_key != before
    assert arrived.get("/accounts/clinic/").wsgi_request.member == second


@pytest.mark.parametrize("member", ["other_clinic_admin", None])
def test_a_clinic_one_does_not_work_in_cannot_be_chosen(arrived, request, member):
    pk = str(request.getfixturevalue(member).pk) if member else "not-a-key"
    assert arrived.post("/accounts/clinic/", {"member": pk}).status_code == 404


def test_a_change_of_role_applies_at_once(arrived, clinician):
    Member.objects.update(role=Member.Role.VIEWER)
    assert arrived.get("/accounts/clinic/").wsgi_request.member.role == "viewer"
    Member.objects.update(active=False)
    page = arrived.get("/accounts/clinic/")
    assert page.wsgi_request.member is None
    assert "do not work in a clinic" in page.content.decode()


def test_forged_tenants_change_nothing(arrived, clinician, second, other_clinic):
    page = arrived.get(
        f"/accounts/clinic/?clinic_id={other_clinic.pk}",
        headers={"X-Tenant": str(second.clinic_id), "X-Clinic": str(second.clinic_id)},
    )
    assert page.wsgi_request.member == clinician


# -- How the pages look -----------------------------------------------------------------------

PUBLIC = ["login", "password/reset", "password/reset/sent", "password/reset/done", "signup"]


@pytest.mark.parametrize("page", PUBLIC)
def test_account_pages_speak_english_whatever_the_browser_asks(db, client, page):
    body = client.get(f"/accounts/{page}/", headers={"Accept-Language": "es"}).content.decode()
    assert '<html lang="en">' in body
    for word in ("Contraseña", "Correo", "obligatorio"):
        assert word not in body


def test_staff_pages_carry_the_clinic_and_the_state_of_mail(arrived, settings):
    assert "E-mail is" not in arrived.get("/accounts/clinic/").content.decode()
    settings.MAIL_MODE = "hold"
    page = arrived.get("/accounts/clinic/").content.decode()
    assert "North Clinic" in page
    assert "E-mail is on hold." in page
    settings.MAIL_MODE = "redirect:test@example.org"
    assert "E-mail is redirected." in arrived.get("/accounts/clinic/").content.decode()


def test_sign_in_leads_to_the_patients(clinician, client):
    assert sign_in(client, clinician.user.email).url == reverse("dashboards:patients")


def test_sign_in_leads_nowhere_else(clinician, client):
    data = {"login": clinician.user.email, "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post(SIGN_IN, data).url == reverse("dashboards:patients")


@pytest.mark.parametrize(
    ("page", "label"),
    [
        ("account_login", "E-mail address"),
        ("account_reset_password", "E-mail address"),
        ("account_change_password", "Password until now"),
    ],
)
def test_account_pages_say_once_and_in_our_words_what_they_ask(client, clinician, page, label):
    if page == "account_change_password":
        client.force_login(clinician.user)
    shown = client.get(reverse(page)).content.decode()
    assert shown.count(label) == 1
    assert "placeholder" not in shown.split("<main")[1]
