"""Pages for when something is wrong: they help, they give nothing away, and need no database."""

import pytest
from django.db import connection
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import translation

PAGES = ["403.html", "403_csrf.html", "404.html", "429.html", "500.html"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("language", "line"), [("en", "In crisis?"), ("es", "¿Está en crisis?")])
def test_every_error_page_says_where_to_call(page, language, line):
    with translation.override(language):
        body = get_template(page).render()
    assert line in body
    assert 'href="tel:988"' in body
    assert 'href="tel:911"' in body
    assert f'<html lang="{language}">' in body


@pytest.mark.parametrize("page", PAGES)
def test_an_error_page_needs_no_database(page):
    """No database mark: any query would fail this test."""
    assert get_template(page).render({}, RequestFactory().get("/s/secret/"))


def test_a_member_who_may_not_is_shown_the_way_back():
    assert '<a href="/">To your patients</a>' in get_template("403.html").render()


def test_a_missing_page_is_ours(client, db):
    page = client.get("/accounts/nothing/")
    assert page.status_code == 404
    assert "This page is not here" in page.content.decode()
    assert "nothing" not in page.content.decode().split("<main")[1]


def test_a_form_without_its_token_is_refused_kindly(client, db):
    client.handler.enforce_csrf_checks = True
    page = client.post("/accounts/login/", {"login": "a@b.example", "password": "x"})
    assert page.status_code == 403
    assert "open too long" in page.content.decode()


def test_an_error_of_ours_shows_no_trace(client, db):
    client.raise_request_exception = False
    with connection.execute_wrapper(_broken):
        page = client.post("/accounts/login/", {"login": "a@b.example", "password": "x"})
    assert page.status_code == 500
    assert "on our side" in page.content.decode()
    assert "secret detail" not in page.content.decode()


def _broken(*args: object) -> None:
    raise RuntimeError("secret detail")


def test_every_page_carries_the_strict_headers(client, db):
    for path in ("/accounts/login/", "/accounts/nothing/", "/accounts/invitation/x/y/"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Cache-Control"].find("no-store") >= 0
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
