"""What the engine's facts mean. Pure: a monitor, an operator and a test get the same verdicts.

Each limit is far above what a healthy engine shows and below what a patient or a clinic would
notice first.
"""

from datetime import datetime, timedelta

from reminders.health.facts import Engine, Health, Queue, Setup, Verdict

TICKS_MISSED = 3  # one may be lost with a worker, two with a restart
PULSE_AT_LEAST = timedelta(seconds=60)  # a worker may take this long to finish a long planning
# A tick and a drain take seconds; two thousand mails at 100 ms over two processes two minutes.
MESSAGES_WAIT = timedelta(minutes=10)
NOTICES_WAIT = timedelta(minutes=3)  # they go first, and somebody may be in danger
LEASE_OVER = timedelta(minutes=5)  # each tick takes back what its worker lost
UNKNOWN_FOR = timedelta(hours=24)  # providers report within minutes; then a person must look
PAUSED_FOR = timedelta(hours=1)  # a provider that asks for more has shut us out
PLANNING_WAITS = timedelta(minutes=15)  # many ticks, each of which plans for ten seconds
REPORTS_WAIT = timedelta(minutes=10)  # bounces must stop the next mail to a dead address
REPORTS_ASIDE = timedelta(hours=25)  # a day is allowed for a report before its message
SILENT_AFTER = 20  # accepted messages; fewer may all sit in a slow mailbox's queue
SILENT_FOR = timedelta(hours=1)
ACCEPTED_SAMPLE = 1000  # this many without a single word need no hour
HEARTBEAT_AFTER = timedelta(hours=26)  # one a day, and two hours for what may come between
UNTOLD_FOR = timedelta(minutes=10)  # a notice goes at once, and after a doubt every minute


def judge(engine: Engine, setup: Setup, now: datetime) -> list[Verdict]:
    return [
        tick(engine, setup, now),
        waiting("messages", engine.messages, MESSAGES_WAIT, engine, setup, now),
        waiting("notices", engine.notices, NOTICES_WAIT, engine, setup, now),
        leases(engine, now),
        unknown(engine, now),
        lane(engine, setup, now),
        planning(engine, now),
        reports(engine, now),
        webhooks(engine, setup, now),
        alerts(engine),
        heartbeat(engine, setup, now),
    ]


def pulse_limit(setup: Setup) -> timedelta:
    return max(TICKS_MISSED * setup.tick, PULSE_AT_LEAST)


def tick(engine: Engine, setup: Setup, now: datetime) -> Verdict:
    last = engine.pulses.get("tick")
    if last is None:
        return Verdict("tick", Health.FAILED, "no tick has ever ended")
    return _aged("tick", last, pulse_limit(setup), now, "the last tick ended {} ago")


def waiting(
    check: str, queue: Queue, limit: timedelta, engine: Engine, setup: Setup, now: datetime
) -> Verdict:
    """Dispatch lag. What is held on purpose is not late: another line speaks of that."""
    if setup.mail_mode == "hold":
        return Verdict(check, Health.OK, "held: MAIL_MODE is hold")
    if engine.lane.paused_until and engine.lane.paused_until > now:
        return Verdict(check, Health.OK, f"held: lane {setup.lane} is paused")
    return _aged(check, queue.due_at, limit, now, "the oldest has been due for {}")


def leases(engine: Engine, now: datetime) -> Verdict:
    both = (engine.messages.lease_until, engine.notices.lease_until)
    oldest = min((at for at in both if at is not None), default=None)
    return _aged("leases", oldest, LEASE_OVER, now, "a lease ran out {} ago and was not taken back")


def unknown(engine: Engine, now: datetime) -> Verdict:
    old = [pk for pk, due_at in engine.unknown if now - due_at > UNKNOWN_FOR]
    if not old:
        return Verdict("unknown", Health.OK, "none is older than a day")
    return Verdict("unknown", Health.FAILED, f"older than a day: message {', '.join(old)}")


def lane(engine: Engine, setup: Setup, now: datetime) -> Verdict:
    state = engine.lane
    paused = max(timedelta(), state.paused_until - now) if state.paused_until else timedelta()
    reason = f" ({state.reason})" if state.reason else ""
    if state.opened:
        return Verdict("lane", Health.FAILED, f"{setup.lane} is shut{reason}")
    if paused > PAUSED_FOR:
        return Verdict("lane", Health.FAILED, f"{setup.lane} waits {words(paused)}{reason}")
    if paused:
        return Verdict("lane", Health.WARNING, f"{setup.lane} waits {words(paused)}{reason}")
    return Verdict("lane", Health.OK, f"{setup.lane} is open")


def planning(engine: Engine, now: datetime) -> Verdict:
    waits = "a schedule has waited to be looked at for {}"
    return _aged("planning", engine.replan_at, PLANNING_WAITS, now, waits)


def reports(engine: Engine, now: datetime) -> Verdict:
    late = _aged("reports", engine.report_due_at, REPORTS_WAIT, now, "one has waited for {}")
    if late.health is Health.OK and engine.report_came_at:
        aside = now - engine.report_came_at
        if aside > REPORTS_ASIDE:
            return Verdict("reports", Health.WARNING, f"one came {words(aside)} ago, not applied")
    return late


def webhooks(engine: Engine, setup: Setup, now: datetime) -> Verdict:
    """Silence: many accepted since the provider's last word, and enough time for another."""
    if not setup.is_provider:
        return Verdict("webhooks", Health.OK, f"{setup.lane} sends no reports")
    if not setup.takes_reports:
        return Verdict("webhooks", Health.WARNING, f"{setup.lane} reports, and each is refused")
    last = engine.reported_at
    since = [at for at in engine.accepted if last is None or at > last]
    quiet = now - (last or min(since, default=now))
    never = last is None and len(since) >= ACCEPTED_SAMPLE
    if len(since) < SILENT_AFTER or (quiet <= SILENT_FOR and not never):
        return Verdict("webhooks", Health.OK, f"{setup.lane} reports")
    heard = f"for {words(quiet)}" if last else "since the first of them"
    return Verdict("webhooks", Health.FAILED, f"{len(since)} accepted, and no report {heard}")


def alerts(engine: Engine) -> Verdict:
    """Ended by whoever takes them."""
    named = {
        "nobody was told": engine.untold,
        "nobody has taken in 12 h": _because(engine, "incident"),
        "a notice did not arrive": _because(engine, "not_delivered"),
    }
    found = [f"{what}: alert {', '.join(ids)}" for what, ids in named.items() if ids]
    if not found:
        return Verdict("alerts", Health.OK, "somebody was told about each")
    return Verdict("alerts", Health.FAILED, "; ".join(found))


def _because(engine: Engine, wanted: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pk for pk, reason in engine.escalated if reason == wanted))


def heartbeat(engine: Engine, setup: Setup, now: datetime) -> Verdict:
    """The first one goes with the first tick."""
    if not setup.has_heartbeat:
        return Verdict("heartbeat", Health.OK, "off: HEARTBEAT_TO is empty")
    if setup.mail_mode == "hold":
        return Verdict("heartbeat", Health.OK, "held: MAIL_MODE is hold")
    last = engine.pulses.get("heartbeat")
    if last is not None:
        return _aged("heartbeat", last, HEARTBEAT_AFTER, now, "the last was accepted {} ago")
    if "heartbeat tried" in engine.pulses:
        return Verdict("heartbeat", Health.FAILED, "none was ever accepted")
    return Verdict("heartbeat", Health.WARNING, "none has gone yet")


def words(span: timedelta) -> str:
    """`47 s`, `12 min`, `3 h`, `2 days`: how long, as one says it."""
    seconds = int(span.total_seconds())
    for size, word in ((172800, "days"), (7200, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds // (size // 2)} {word}"
    return f"{seconds} s"


def _aged(
    check: str, since: datetime | None, limit: timedelta, now: datetime, text: str
) -> Verdict:
    if since is None or since > now:
        return Verdict(check, Health.OK, "nothing waits")
    age = now - since
    late = f", more than {words(limit)}" if age > limit else ""
    return Verdict(check, Health.FAILED if late else Health.OK, text.format(words(age)) + late)
