"""Which answers satisfy a due: only those inside its own window."""

from datetime import datetime

from reminders.schedule.facts import Due, PatientFacts


def answered_at(due: Due, facts: PatientFacts) -> datetime | None:
    """When the last of its questionnaires was finished; none while one is missing."""
    found = [_first_answer(due, key_of(name), facts) for name in due.instruments]
    times = [at for at in found if at is not None]
    return max(times) if times and len(times) == len(found) else None


def _first_answer(due: Due, instrument: str, facts: PatientFacts) -> datetime | None:
    """The earliest answer in the window: on the due's own follow-up, or on another one opened
    for the same day's purpose after this due was to be sent, so that nobody is asked twice."""
    times = [
        answer.finished_at
        for answer in facts.answers
        if answer.instrument == instrument
        and due.opens_at <= answer.finished_at < due.closes_at
        and due.follow_up is not None
        and (answer.follow_up == due.follow_up or answer.finished_at >= due.send_at)
    ]
    return min(times, default=None)


def key_of(name: str) -> str:
    """`nrs24:average,worst` -> `nrs24`."""
    return name.partition(":")[0]
