"""`send`: due invitations into an SMTP server, beside django-post_office with the same mails."""

import base64
import secrets
from collections.abc import Iterator

from devtools.bench import letters
from devtools.bench.counting import Count
from devtools.bench.ground import Ground
from devtools.bench.letters import Pattern
from devtools.bench.lines import Line, Wrong, at_least, middle
from devtools.bench.sides import Side

DUE = 2000
PAIRS = 5
SITE = "http://localhost:8000"


def send(ground: Ground) -> Iterator[Line]:
    database = ground.database("send")
    with ground.side("ours", database) as ours:
        if ground.profile:
            print(profile(ground, ours))
            return
        patterns = warm_up(ground, ours)
        with _peer(ground) as peer:
            peer.ask("prepare", patterns=patterns)
            runs = [
                (send_ours(ground, ours, DUE), _send_theirs(ground, peer, patterns))
                for _ in range(PAIRS)
            ]
    yield from _lines(runs)


def profile(ground: Ground, ours: Side) -> str:
    warm_up(ground, ours)
    ours.ask("crowd", size=DUE)
    report: str = ours.ask("drain_profiled")
    ground.sink.take()
    return report


def warm_up(ground: Ground, ours: Side) -> dict[str, Pattern]:
    """A small crowd first; its mails become the other side's templates."""
    addresses = ours.ask("crowd", size=100)
    expected = ours.ask("expected", addresses=addresses)
    ours.ask("drain")
    messages = ground.sink.take().messages
    letters.check(messages, expected)
    return {expected[kept.recipients[0]][0]: letters.pattern(kept.content) for kept in messages}


def send_ours(ground: Ground, ours: Side, due: int) -> tuple[Count, int]:
    """What it cost, and the SMTP connections it took."""
    expected = ours.ask("expected", addresses=ours.ask("crowd", size=due))
    before = ours.ask("states")
    count: Count = ours.ask("drain")
    taken = ground.sink.take()
    letters.check(taken.messages, expected)
    check_states(before, ours.ask("states"), due)
    return count, taken.connections


def check_states(before: dict[str, int], after: dict[str, int], due: int) -> None:
    """Each message accepted, with one attempt that says so."""
    for name in ("accepted", "attempt accepted"):
        grown = after.get(name, 0) - before.get(name, 0)
        if grown != due:
            raise Wrong(f"{name}: {grown} rows more for {due} messages due: {after}")


def _peer(ground: Ground) -> Side:
    ground.on(ground.postgres, "CREATE DATABASE peer")
    database = ground.postgres.url("peer")
    settings = "devtools.bench.peer_settings"
    module = "devtools.bench.peer"
    return ground.side("peer", database, module, DJANGO_SETTINGS_MODULE=settings)


def _send_theirs(ground: Ground, peer: Side, patterns: dict[str, Pattern]) -> tuple[Count, int]:
    rows, expected = [], {}
    for number in range(DUE):
        language = ("en", "es")[number % 2]
        address = f"p{number}@crowd.example"
        survey, unsubscribe = _token(), _token()
        link, stop = f"{SITE}/s/{survey}/", f"{SITE}/u/{unsubscribe}/"
        headers = {**patterns[language].headers, "List-Unsubscribe": f"<{stop}>"}
        rows.append((address, language, link, stop, headers))
        expected[address] = (language, letters.digest(survey), letters.digest(unsubscribe))
    peer.ask("queue", rows=rows, sender="Care Team <updates@afterglow.example>")
    count: Count = peer.ask("send")
    taken = ground.sink.take()
    letters.check(taken.messages, expected)
    if count.done != DUE:
        raise Wrong(f"post_office says that it sent {count.done}")
    return count, taken.connections


def _token() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def _lines(runs: list[tuple[tuple[Count, int], tuple[Count, int]]]) -> Iterator[Line]:
    size = f"{DUE:,} due, 2 languages"
    ours, theirs = [count for (count, _), _ in runs], [count for _, (count, _) in runs]
    ratios = tuple(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))
    rate = middle(count.rate for count in ours)
    yield Line("send", size, rate, "messages/s", "post_office", ratios, at_least(2))
    for name, counts in (("send: ours", ours), ("send: post_office", theirs)):
        yield from costs(name, size, counts)
    for name, used in (
        ("ours", [n for (_, n), _ in runs]),
        ("post_office", [n for _, (_, n) in runs]),
    ):
        yield Line(f"send: {name}", size, max(used), "SMTP connections")


def costs(name: str, size: str, counts: list[Count]) -> Iterator[Line]:
    """What one message cost: the counts have no noise."""
    yield Line(name, size, middle(count.rate for count in counts), "messages/s")
    for unit, total in (("CPU us", 1e6), ("statements", 1), ("writing commits", 1)):
        attribute = {"CPU us": "cpu", "statements": "statements", "writing commits": "writes"}[unit]
        each = (total * getattr(count, attribute) / count.done for count in counts)
        yield Line(name, size, middle(each), f"{unit}/message")
