"""How long answering takes and where people stop, from moments alone."""

from datetime import UTC, datetime, timedelta

from surveys.pace import PAUSE, Sitting, Step, pace

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def sitting(*moments: float, sent: float | None = None) -> Sitting:
    answers = tuple((f"q/{n}", at(moment)) for n, moment in enumerate(moments, start=1))
    return Sitting(answers, None if sent is None else at(sent))


def test_it_lasts_from_the_first_answer_to_sending():
    assert sitting(0, 10, 25, sent=30).seconds == 30


def test_a_pause_counts_nowhere():
    long = PAUSE.total_seconds() + 1
    paused = sitting(0, 10, 10 + long, sent=15 + long)
    assert paused.seconds == 15
    assert list(paused.steps()) == [("q/2", 10)]
    assert sitting(0, PAUSE.total_seconds(), sent=400).seconds == 400


def test_what_was_never_sent_has_no_length_and_a_place_where_it_stopped():
    broken_off = sitting(0, 4)
    assert (broken_off.seconds, broken_off.stopped_at) == (None, "q/2")
    assert sitting(0, 4, sent=9).stopped_at is None
    assert (Sitting(()).seconds, Sitting((), at(0)).seconds, Sitting(()).stopped_at) == (None,) * 3


def test_the_middle_of_the_times_of_each_question():
    found = pace([sitting(0, 2, sent=3), sitting(0, 4, sent=6), sitting(0, 9, 11)])
    assert found.steps == {"q/1": Step(), "q/2": Step(3, 4, 0), "q/3": Step(1, 2, 1)}
    assert (found.sent, found.half, found.three_quarters) == (2, 4.5, 5.25)


def test_of_nothing_there_is_nothing_to_say():
    nothing = pace([])
    assert (nothing.sent, nothing.half, nothing.three_quarters, nothing.steps) == (
        0,
        None,
        None,
        {},
    )
    assert pace([sitting(0, sent=7)]).three_quarters is None


def test_a_clock_that_went_back_takes_nothing_away():
    assert Sitting((("q/1", at(10)), ("q/2", at(20))), at(15)).seconds == 10
