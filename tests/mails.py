"""Every e-mail the product can send, from rows of which every text tells and attacks.

What there is to send is found by walking the templates. A new one without a writer here fails the
tests that read them all.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.db import models
from django.test import Client, override_settings

from clinic import infusions
from clinic.infusions import InfusionDetails
from clinic.models import Clinic, Course, Infusion, Member
from reminders import emails, heartbeat, lanes, trying
from reminders.letters import message_letter, notice_letter
from reminders.models import Message
from reminders.samples import LANGUAGES, SAMPLES, Sample
from surveys.models import Alert, FollowUp
from tests.builders import BY_TEST, PASSWORD, make_course, make_member
from tests.reminders.letters import HOUR, make_alert, make_message, make_notice
from tests.surveys.follow_ups import answer_all, make_follow_up

SITE = "https://updates.example"
ENDING = re.compile(r"(-subject|_subject|_message)?\.(txt|html)$")
CANARY = "Xq"  # begins no word of any language we write in
# What a mail may show, or what would no longer work with another text in it.
KEPT = {
    *("clinic.sender_name", "clinic.phone", "clinic.zone", "alert.reference", "course.protocol"),
    *("patient.language", "patient.zone", "patient.email", "patient.birth_date_text"),
    *("user.email", "user.password", "followup.language"),
    *("followup.link_key_id", "followup.link_digest", "followup.unsubscribe_digest"),
}


def canary(n: int, field: Any) -> str:
    """A drug, a score, a header and markup, turned around by a mark of another script."""
    text = f"{CANARY}{n} ketamine PHQ-9 27\r\nBcc: {CANARY}@evil.example\r\n\r\n<b>\u202e suicidal"
    return text[: field.max_length or None]


def make_telling(*rows: models.Model) -> None:
    """Put a canary into every text of these rows."""
    for row in rows:
        for n, field in enumerate(row._meta.concrete_fields):
            is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
            if is_text and f"{row._meta.model_name}.{field.name}" not in KEPT:
                setattr(row, field.name, canary(n, field))
        row.save()


@dataclass
class World:
    """One clinic in the middle of its work, with a patient whose file is full."""

    clinic: Clinic
    course: Course
    infusion: Infusion
    follow_up: FollowUp
    alert: Alert
    reader: Member  # a responder, signs in as any other
    newcomer: Member  # has not accepted an invitation yet
    now: datetime


def make_world(clinic: Clinic, *, now: datetime) -> World:
    """Nothing in it is secret yet: `tell_all` makes it so."""
    born = date(1971, 8, 21)  # the day on which no window closes
    course = make_course(clinic, now=now, email="q@patients.example", birth_date=born)
    details = InfusionDetails(started_at=now - 48 * HOUR, note="-", complication="-")
    reader = make_member(clinic, Member.Role.CLINICIAN, now=now, email="reader@north.example")
    newcomer = make_member(clinic, Member.Role.ADMIN, now=now, email="newcomer@north.example")
    newcomer.user.set_unusable_password()
    newcomer.user.save()
    return World(
        clinic,
        course,
        infusions.log(course, details, by=BY_TEST, now=now),
        make_follow_up(course, ["phq9", "gad7"], now=now),
        make_alert(clinic, now=now, level="critical", reference="7F3K-21", patient=course.patient),
        reader,
        newcomer,
        now,
    )


def tell_all(world: World) -> None:
    """The worst answers, their scores and alerts, and a canary in every text."""
    earlier = make_follow_up(world.course, ["phq9"], now=world.now, opens=timedelta(hours=-20))
    answer_all(earlier, now=world.now, value=3)
    make_telling(world.clinic, world.course.patient, world.course, world.infusion, world.alert)
    make_telling(world.reader, world.reader.user, world.newcomer, world.follow_up)
    for name in ("course", "infusion", "follow_up", "alert", "reader", "newcomer", "clinic"):
        row = getattr(world, name)
        setattr(world, name, type(row).objects.get(pk=row.pk))  # as another process reads it


# -- What there is to send --------------------------------------------------------------------


def kinds() -> set[str]:
    """Every kind of e-mail, by the place of its templates: "reminders/invitation"."""
    root = Path(settings.BASE_DIR) / "templates"
    names = {
        f"{path.parent.parent.relative_to(root)}/{ENDING.sub('', path.name)}"
        for path in root.rglob("email/*")
        if not path.name.startswith(("_", "base"))
    }
    return names


def letters(world: World, sample: Sample, language: str) -> Iterator[EmailMessage]:
    """A patient's e-mail, or a notice of each level."""
    if not sample.to_staff:
        yield _written(message_letter(_message(world, sample, language), ("phq9", "gad7")))
        return
    rule = Alert.TEST_RULE if sample.is_test else world.alert.rule
    for n, level in enumerate(Alert.Level):
        about = {"patient": world.course.patient, "level": level, "rule": rule}
        about["reference"] = f"7F3K-3{n}"  # a random one could begin with a score
        alert = make_alert(world.clinic, now=world.now, trigger=world.alert.trigger, **about)
        yield _written(notice_letter(make_notice(alert, world.reader, now=world.now)))


def _message(world: World, sample: Sample, language: str) -> Message:
    patient = world.course.patient
    patient.language = language
    patient.save()
    return make_message(
        world.course,
        now=world.now,
        kind=sample.template,
        nth=sample.nth,
        follow_up=world.follow_up,
    )


def _written(letter: Any) -> EmailMessage:
    return parsed(emails.write(letter, lanes.current()).email.message().as_bytes())


def parsed(raw: bytes) -> EmailMessage:
    """As a mail program reads it."""
    return BytesParser(policy=policy.default).parsebytes(raw)


def templates(world: World, template: str, language: str) -> Iterator[EmailMessage]:
    """By the samples, which stand for each form that a template takes."""
    for sample in SAMPLES.values():
        if sample.template == template and language in sample.languages:
            yield from letters(world, sample, language)
            tried = {"to": world.reader, "lane": lanes.current(), "now": world.now}
            yield parsed(trying.written(sample, language, **tried).email.message().as_bytes())


def _browser(language: str) -> Client:
    return Client(headers={"Accept-Language": language})


def _mailed() -> list[EmailMessage]:
    return [parsed(each.message().as_bytes()) for each in mail.outbox]


def invitation(world: World, language: str) -> list[EmailMessage]:
    browser = _browser(language)
    chief = make_member(world.clinic, Member.Role.ADMIN, now=world.now, email="c@north.example")
    browser.force_login(chief.user)
    browser.post(f"/clinic/people/{world.newcomer.pk}/invite/")
    return _mailed()


def reset(world: World, language: str, email: str = "reader@north.example") -> list[EmailMessage]:
    cache.clear()  # how often one may ask is counted there
    _browser(language).post("/accounts/password/reset/", {"email": email})
    return _mailed()


def unknown(world: World, language: str) -> list[EmailMessage]:
    return reset(world, language, "nobody@elsewhere.example")


def after_reset(world: World, language: str) -> list[EmailMessage]:
    link = re.search(r"/accounts/password/reset/key/\S+", reset(world, language)[0].get_content())
    browser = _browser(language)
    page = browser.get(link.group(), follow=True)
    new = dict.fromkeys(("password1", "password2"), "seventeen sea otters")
    browser.post(page.redirect_chain[-1][0], new)
    return _mailed()[1:]


def changed(world: World, language: str) -> list[EmailMessage]:
    browser = _browser(language)
    browser.force_login(world.reader.user)
    new = dict.fromkeys(("password1", "password2"), "seventeen sea otters")
    browser.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    return _mailed()


def beat(world: World, language: str) -> list[EmailMessage]:
    with override_settings(HEARTBEAT_TO="operators@north.example"):
        return [_written(heartbeat.letter())] if language == "en" else []


BY_KIND: dict[str, Callable[[World, str], list[EmailMessage]]] = {
    "reminders/heartbeat": beat,
    "dashboards/invitation": invitation,
    "account/password_reset_key": reset,
    "account/unknown_account": unknown,
    "account/password_reset": after_reset,
    "account/password_changed": changed,
}


NEVER = {("reminders/notice", "es")}  # staff are written to in English


def mails(world: World, kind: str, language: str) -> list[EmailMessage]:
    """Every form of this kind of e-mail; none in a language in which it is never written."""
    if kind in BY_KIND:
        return BY_KIND[kind](world, language)
    folder, _, template = kind.partition("/")
    found = list(templates(world, template, language)) if folder == "reminders" else []
    assert found or (kind, language) in NEVER, f"nothing writes {kind}: say how it comes to be sent"
    return found


CASES = [(kind, language) for kind in sorted(kinds()) for language in LANGUAGES]


# -- What can be read in one ------------------------------------------------------------------


def parts(parsed: EmailMessage) -> tuple[str, str]:
    """Its plain text and its HTML, which what is only about an account does not have."""
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    return text.get_content(), html.get_content() if html else ""


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag, attrs):
        self._silent += tag in ("style", "title")

    def handle_endtag(self, tag):
        self._silent -= tag in ("style", "title")

    def handle_data(self, data):
        if not self._silent:
            self.words += data.split()


def words_of(html: str) -> list[str]:
    parser = _Text()
    parser.feed(html)
    return parser.words


def everything(parsed: EmailMessage) -> str:
    """What can be read in it; what is random could spell anything by chance."""
    headers = "\n".join(f"{n}: {v}" for n, v in parsed.items() if n not in ("To", "Date"))
    seen = "\n".join((headers, *parts(parsed)))
    seen = re.sub(r"(https?://\S+/[su]/)[\w-]{43}/", r"\1", seen)
    seen = re.sub(r"(/invitation/|/key/)\S+/", r"\1", seen)
    seen = re.sub(r"<\S+@\S+>|boundary=\S+", "", seen)
    return re.sub(r'(?<= style=)"[^"]*"|<style.*?</style>', "", seen, flags=re.DOTALL)


def addresses(parsed: EmailMessage) -> list[str]:
    """Every address of the web in it, from its headers too."""
    headers = "\n".join(str(value) for value in parsed.values())
    return re.findall(r"https?://[^\s\"<>]+", "\n".join((headers, *parts(parsed))))
