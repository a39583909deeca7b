"""The benchmarks judge fairly, and refuse a fast wrong answer."""

import hashlib
import smtplib
import sys
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from devtools.bench import command, growth, letters, sending, ticks
from devtools.bench.letters import SUBJECTS
from devtools.bench.lines import Line, Wrong, at_least, at_most, shown
from devtools.bench.machine import family, resident
from devtools.bench.sides import Side
from devtools.bench.sink import Kept, Sink
from devtools.processes import ROOT, Child, answers, free_port, machine_environment

SURVEY, UNSUBSCRIBE = "s" * 43, "u" * 43


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def letter(language: str = "es", survey: str = SURVEY, **changes: str) -> bytes:
    links = f"http://localhost:8000/s/{survey}/ http://localhost:8000/u/{UNSUBSCRIBE}/"
    mail = EmailMessage()
    mail["Subject"] = changes.get("subject", SUBJECTS[language])
    mail.set_content(links)
    mail.add_alternative(f'<html lang="{language}"><p>{links}</p></html>', subtype="html")
    return mail.as_bytes()


EXPECTED = {"ana@mail.example": ("es", digest(SURVEY), digest(UNSUBSCRIBE))}


def kept(content: bytes, *recipients: str) -> Kept:
    return Kept(recipients or ("ana@mail.example",), content, 0.0)


# -- Judging ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "ratios", "ok"),
    [
        pytest.param(at_least(2), (1.0, 1.99), False, id="all pairs below"),
        pytest.param(at_least(2), (1.0, 2.0), True, id="one pair exactly at the goal"),
        pytest.param(at_most(2), (2.01, 9.0), False, id="all pairs above"),
        pytest.param(at_most(2), (2.0, 9.0), True, id="one pair exactly at the bound"),
        pytest.param(None, (0.0, 9.0), True, id="no goal"),
    ],
)
def test_a_goal_is_missed_only_when_every_pair_misses_it(limit, ratios, ok):
    assert Line("send", "2,000", 1.0, "messages/s", "peer", ratios, limit).ok is ok


def test_without_pairs_the_value_itself_is_judged():
    assert Line("send-celery", "2,000", 22, "Celery messages", limit=at_most(22)).ok
    assert not Line("send-celery", "2,000", 23, "Celery messages", limit=at_most(22)).ok


def test_a_line_shows_value_pair_ratio_and_goal():
    line = str(
        Line("send", "2,000 due", 1234.5, "messages/s", "peer", (1.0, 1.5, 3.0), at_least(2))
    )
    for part in ("send", "2,000 due", "1,234", "peer", "1.50 (1.00 to 3.00)", ">= 2", "ok"):
        assert part in line


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (22, "22"), (1234567.8, "1,234,568"), (2.5, "2.5")]
)
def test_values_have_three_digits_and_no_exponent(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("costs", "expected"),
    [([5.0, 5.0, 5.0], 0.0), ([1.0, 10.0, 100.0], 1.0), ([1.0, 100.0, 10000.0], 2.0)],
)
def test_a_slope_is_the_power_with_which_cost_grows(costs, expected):
    assert growth.slope([10**4, 10**5, 10**6], costs) == pytest.approx(expected)


# -- The command ------------------------------------------------------------------------------


def run(monkeypatch, tmp_path, *lines: Line, wrong: bool = False) -> tuple[int, Path]:
    def benchmark(ground):
        yield from lines
        if wrong:
            raise Wrong("a mail to somebody who was not due")

    monkeypatch.setattr(command, "BENCHMARKS", {"toy": benchmark})
    report = tmp_path / "report.json"
    return command.main(["toy", "--json", str(report)]), report


GOOD = Line("toy", "1", 3.0, "a second", "peer", (3.0,), at_least(2))


def test_the_exit_status_says_that_all_goals_were_met(monkeypatch, tmp_path):
    status, report = run(monkeypatch, tmp_path, GOOD)
    assert status == 0
    assert '"ratio": 3.0' in report.read_text()


def test_a_missed_goal_fails_the_run_and_is_named_at_the_end(monkeypatch, tmp_path, capsys):
    status, _ = run(monkeypatch, tmp_path, replace(GOOD, ratios=(1.9,)))
    assert status == 1
    assert "MISSED: toy" in capsys.readouterr().out


def test_a_wrong_answer_fails_the_run_however_fast_it_was(monkeypatch, tmp_path, capsys):
    status, _ = run(monkeypatch, tmp_path, GOOD, wrong=True)
    assert status == 1
    assert "FAILED: toy" in capsys.readouterr().out


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit) as refused:
        command.main(["speed"])
    assert refused.value.code == 2
    assert "send-celery" in capsys.readouterr().err


# -- What came out ----------------------------------------------------------------------------


def test_the_right_mail_passes():
    letters.check([kept(letter())], EXPECTED)


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="nothing sent"),
        pytest.param([kept(letter()), kept(letter())], id="twice to one person"),
        pytest.param([kept(letter(), "eve@mail.example")], id="to somebody who was not due"),
        pytest.param([kept(letter(), "ana@mail.example", "b@mail.example")], id="two in one mail"),
        pytest.param([kept(letter("en"))], id="another language"),
        pytest.param([kept(letter(survey="x" * 43))], id="a link that does not open"),
        pytest.param([kept(letter(subject="Hello"))], id="another subject"),
    ],
)
def test_a_wrong_mail_fails(messages):
    with pytest.raises(Wrong):
        letters.check(messages, EXPECTED)


def test_a_mail_becomes_a_template_without_anything_personal():
    mail = EmailMessage()
    mail["Subject"] = SUBJECTS["en"]
    for name in ("Auto-Submitted", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"):
        mail[name] = "yes"
    mail.set_content(f"Open http://localhost:8000/s/{SURVEY}/")
    mail.add_alternative(f"<a href='http://localhost:8000/u/{UNSUBSCRIBE}/'>x</a>", subtype="html")
    pattern = letters.pattern(mail.as_bytes())
    assert pattern.text.strip() == "Open {{ link }}"
    assert "href='{{ unsubscribe }}'" in pattern.html
    assert SURVEY not in repr(pattern)
    assert UNSUBSCRIBE not in repr(pattern)


def test_messages_that_were_not_recorded_fail():
    with pytest.raises(Wrong, match="attempt accepted: 1 rows"):
        sending.check_states({}, {"accepted": 2, "attempt accepted": 1}, 2)


class Answers:
    """A side whose answers are given."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers

    def ask(self, order: str, **details: object) -> object:
        return self.answers[order]


@pytest.mark.parametrize(
    "ways",
    [
        pytest.param(["Seq Scan"], id="all rows are read"),
        pytest.param(["reminders_message_pkey"], id="an index of all rows"),
        pytest.param([], id="unknown"),
    ],
)
def test_a_tick_that_finds_messages_the_slow_way_fails(ways):
    side = Answers(partial_indexes=["message_due_idx"], plans={"SELECT 1": ways})
    with pytest.raises(Wrong):
        ticks.check_plans(side)


def test_a_tick_by_partial_indexes_passes():
    plans = {"SELECT 1": ["message_due_idx"]}
    ticks.check_plans(Answers(partial_indexes=["message_due_idx"], plans=plans))


# -- Real processes ---------------------------------------------------------------------------


@pytest.fixture
def sink(tmp_path):
    server = Sink(free_port(28100))
    code = "from devtools.bench import sink; sink.main()"
    child = Child(
        "sink", [sys.executable, "-c", code, str(server.port)], machine_environment(),
        tmp_path / "log",
    )  # fmt: skip
    child.start_until(lambda: answers(server.port))
    server.take()
    yield server
    child.stop(5)


@pytest.mark.processes
def test_the_sink_keeps_what_it_is_sent_once_and_counts_connections(sink):
    with smtplib.SMTP(sink.host, sink.port) as client:
        for name in ("ana", "ben"):
            client.sendmail("a@b.example", [f"{name}@mail.example"], b"Subject: x\r\n\r\n.dot\r\n")
    taken = sink.take()
    assert [message.recipients for message in taken.messages] == [
        ("ana@mail.example",),
        ("ben@mail.example",),
    ]
    assert taken.messages[0].content == b"Subject: x\r\n\r\n.dot"
    assert taken.connections == 1
    assert sink.take().messages == []


@pytest.mark.processes
def test_the_sink_can_only_count(sink):
    sink.keep(False)
    with smtplib.SMTP(sink.host, sink.port) as client:
        client.sendmail("a@b.example", ["ana@mail.example"], b"Subject: x\r\n\r\nx\r\n")
    assert sink.count() == 1
    assert sink.take().messages == []


@pytest.fixture
def side(tmp_path):
    orders = (
        "import os\n"
        "def echo(word): return word\n"
        "def fail(): raise ValueError('not today')\n"
        "def die(): os._exit(3)\n"
        "ORDERS = {'echo': echo, 'fail': fail, 'die': die}\n"
    )
    (tmp_path / "toy_orders.py").write_text(orders)
    env = {
        **machine_environment(),
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    with Side("toy", "toy_orders", env, tmp_path) as side:
        yield side


@pytest.mark.processes
def test_a_side_does_as_it_is_told_and_says_when_it_cannot(side):
    assert side.ask("echo", word="yes") == "yes"
    with pytest.raises(Wrong, match="not today"):
        side.ask("fail")
    assert side.ask("echo", word="again") == "again"


@pytest.mark.processes
def test_a_side_that_dies_is_noticed(side):
    with pytest.raises(Wrong, match="toy is gone"):
        side.ask("die")


@pytest.mark.processes
def test_memory_is_that_of_a_process_and_its_children(side):
    assert list(family(side.pid)) == [side.pid]
    assert resident(side.pid) > 5_000_000
