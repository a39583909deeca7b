"""Inviting a colleague: the link goes to the mailbox and nowhere else."""

import re

import pytest
from django.core import mail

from clinic.models import User


@pytest.fixture
def invited(client, admin):
    client.force_login(admin.user)
    data = {"invite-email": "lee@north.example", "invite-role": "clinician"}
    return client.post("/clinic/invite/", data)


def test_the_mailed_link_opens_and_the_page_does_not_show_it(invited, client):
    link = re.search(r"http://localhost:8000(/accounts/invitation/\S+)", mail.outbox[0].body)
    assert mail.outbox[0].to == ["lee@north.example"]
    assert "An invitation went to lee@north.example" in invited.content.decode()
    assert "/accounts/invitation/" not in invited.content.decode()
    client.logout()
    assert client.get(link.group(1)).status_code == 200


def test_an_invitation_is_mailed_again_with_a_fresh_link(invited, client):
    member = User.objects.get(email="lee@north.example").memberships.get()
    again = client.post(f"/clinic/people/{member.pk}/invite/")
    assert "/accounts/invitation/" not in again.content.decode()
    links = [re.search(r"/accounts/invitation/\S+", each.body).group() for each in mail.outbox]
    client.logout()
    assert [client.get(link).status_code for link in links] == [410, 200]


def test_while_mail_is_redirected_so_are_invitations(client, admin, settings):
    settings.MAIL_MODE = "redirect:test@example.org"
    client.force_login(admin.user)
    client.post("/clinic/invite/", {"invite-email": "lee@x.example", "invite-role": "viewer"})
    assert mail.outbox[0].to == ["test@example.org"]


def test_a_mail_server_that_is_away_is_told_of(client, admin, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    client.force_login(admin.user)
    data = {"invite-email": "lee@north.example", "invite-role": "clinician"}
    assert "could not be e-mailed" in client.post("/clinic/invite/", data).content.decode()
