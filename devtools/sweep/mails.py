"""Every kind of e-mail that arrived, as its reader sees it."""

from collections.abc import Iterable, Iterator

from devtools.mailbox.store import Mail
from devtools.sweep.tour import Screen, Tour


def kinds(mails: Iterable[Mail]) -> dict[str, Mail]:
    """One of each: the same subject in the same language is the same e-mail."""
    return {_name(mail): mail for mail in mails if mail.html}


def language(mail: Mail) -> str:
    return str(mail.message.get("Content-Language", "en")).split("-")[0]


def look_at(tour: Tour, mails: dict[str, Mail]) -> None:
    for name, mail in _in_language(mails, tour.screen):
        tour.page.set_content(mail.html)
        tour.look(name)


def _in_language(mails: dict[str, Mail], screen: Screen) -> Iterator[tuple[str, Mail]]:
    return ((name, mail) for name, mail in mails.items() if language(mail) == screen.language)


def _name(mail: Mail) -> str:
    words = "".join(c if c.isalnum() else " " for c in mail.subject.lower()).split()
    return f"mail-{'-'.join(words[:6])}-{language(mail)}"
