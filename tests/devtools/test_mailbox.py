"""The mailbox shows mail as its reader sees it, and lets nothing in it run, load or escape."""

import threading
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPResponse

import pytest

from devtools.mailbox.pages import serve
from devtools.mailbox.store import Store
from devtools.servers.smtp import Received


def received(html: str = "<p>Hello</p>", **headers: str) -> Received:
    message = EmailMessage()
    message["From"] = "Riverside <updates@clinic.example>"
    message["To"] = "ana@mail.example"
    message["Subject"] = headers.pop("subject", "A short check-in")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Hello in plain text")
    message.add_alternative(html, subtype="html")
    return Received("updates@clinic.example", ("ana@mail.example",), message.as_bytes())


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "mail")


@pytest.fixture
def site(store):
    server = serve(store, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("localhost", port, timeout=5)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read().decode()


def test_the_newest_message_stands_first_and_mailboxes_are_apart(store, site):
    store.keep(received(subject="First"))
    store.keep(received(subject="Second"))
    _, everybody = ask(site, "/")
    assert everybody.index("Second") < everybody.index("First")
    _, nobody = ask(site, "/?to=ben%40mail.example")
    assert "First" not in nobody


def test_a_subject_cannot_become_markup(store, site):
    store.keep(received(subject="<script>alert(1)</script>"))
    _, page = ask(site, "/")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_html_part_runs_in_a_sandbox_and_its_links_open_in_a_new_tab(store, site):
    store.keep(received("<html><head></head><body><script>alert(1)</script></body></html>"))
    [mail] = store.mails()
    answer, html = ask(site, f"/mail/{mail.id}/html")
    policy = answer.getheader("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert '<base target="_blank">' in html


@pytest.mark.parametrize(
    ("view", "shown"),
    [("text", "Hello in plain text"), ("headers", "Delivered-To: ana@mail.example")],
)
def test_the_other_views_show_the_text_and_the_headers(store, site, view, shown):
    store.keep(received())
    _, page = ask(site, f"/mail/{store.mails()[0].id}?view={view}")
    assert shown in page


def test_a_page_asked_for_under_another_name_is_refused(store, site):
    store.keep(received())
    answer, page = ask(site, "/", Host="mail.attacker.example")
    assert answer.status == 421
    assert "check-in" not in page


@pytest.mark.parametrize("path", ["/mail/1", "/mail/..%2f..%2fsecrets", "/nothing", "/mail/"])
def test_what_is_not_there_is_a_404(store, site, path):
    assert ask(site, path)[0].status == 404


def test_unsubscribe_posts_one_click_to_the_address_in_the_headers(store, site):
    target = f"http://localhost:{site}/mail/unknown/unsubscribe"
    one_click = {"List_Unsubscribe_Post": "List-Unsubscribe=One-Click"}
    store.keep(received(List_Unsubscribe=f"<{target}>", **one_click))
    [mail] = store.mails()
    path, origin = f"/mail/{mail.id}/unsubscribe", f"http://localhost:{site}"
    assert ask(site, path, "POST", Origin="http://evil.example")[0].status == 403
    _, page = ask(site, path, "POST", Origin=origin)
    assert "The unsubscribe address answered 403" in page  # our own server, asked by a server


@pytest.mark.browser
def test_a_link_in_a_message_opens_in_a_new_tab_without_javascript(store, site, phone):
    store.keep(received(f'<a href="http://localhost:{site}/tokens.css">Answer now</a>'))
    phone.goto(f"http://localhost:{site}/")
    phone.get_by_text("A short check-in").click()
    with phone.context.expect_page() as opened:
        phone.frame_locator("iframe").get_by_text("Answer now").click()
    assert opened.value.url.endswith("/tokens.css")


@pytest.mark.browser
def test_new_mail_appears_by_itself(store, site, desk):
    desk.goto(f"http://localhost:{site}/")
    store.keep(received(subject="It arrives"))
    desk.get_by_text("It arrives").wait_for()
