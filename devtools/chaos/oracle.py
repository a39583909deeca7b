"""The five promises of the engine, checked against the provider's own log. Pure.

It knows nothing of how the engine works, only of what must be true when it has settled.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from devtools.chaos import journal, roll
from devtools.chaos.facts import AttemptFacts, Evidence, MessageFacts, PatientFacts, Violation
from devtools.chaos.history import History
from devtools.servers.emulator.ledger import ACCEPTED, Line
from devtools.servers.emulator.moods import MOODS, Answer

SENT = ("accepted", "unknown")
TERMINAL = ("accepted", "rejected", "failed", "cancelled", "superseded", "expired", "suppressed",
            "skipped")  # fmt: skip
UNSENT_OUTCOMES = ("not_sent", "rejected", "failed")
SLACK_SECONDS = 0.05  # two clocks of one machine
FLIGHT_SECONDS = 6.5  # from an intent to its call: half a lease at most, or the call is not made
OUTAGE_EXTRA = 10  # calls of an outage beyond those in flight


def judge(evidence: Evidence) -> list[Violation]:
    rules = (_once, _ended, _not_lost, _in_time, _matching, _notices, _one_a_day, _few_in_an_outage)
    return sorted(violation for rule in rules for violation in rule(evidence))


def _once(evidence: Evidence) -> Iterator[Violation]:
    """I1: no message is taken twice by the provider, unless a person had it sent again."""
    abandoned = {m.id: _count(m.attempts, ("abandoned",)) for m in evidence.messages}
    for ref, lines in _taken(evidence).items():
        if ref not in evidence.notices and len(lines) > 1 + abandoned.get(ref, 0):
            yield Violation("I1", ref, f"accepted {len(lines)} times by the provider")


def _ended(evidence: Evidence) -> Iterator[Violation]:
    """I2: every message is at an end, on the list of `unknown`, or due later for a reason."""
    for message in evidence.messages:
        if message.state in SENT:
            continue
        if message.state == "scheduled":
            if message.due <= evidence.judged_at:
                yield Violation("I2", message.id, f"still due: {message.reason or 'no reason'}")
        elif message.state not in TERMINAL:
            yield Violation("I2", message.id, f"left {message.state}")
        elif not message.reason:
            yield Violation("I2", message.id, f"{message.state} without a reason")
    for notice in evidence.unsettled_notices:
        yield Violation("I2", notice, "a notice that is still due")


def _not_lost(evidence: Evidence) -> Iterator[Violation]:
    """I2: who had nothing in the way was written to, and who had got a message has it still."""
    touched = {act.patient for act in evidence.acts}
    refused = {line.ref for line in evidence.ledger if line.answer == Answer.NO_ADDRESS.name}
    of_patient: dict[str, list[MessageFacts]] = defaultdict(list)
    for message in evidence.messages:
        of_patient[message.patient].append(message)
    for patient in evidence.patients.values():
        messages = of_patient[patient.id]
        if not messages:
            yield Violation("I2", "", f"patient {patient.id} has no message any more")
        went = any(m.state in SENT or m.id in refused for m in messages)
        if messages and not went and patient.group == roll.PLAIN and patient.id not in touched:
            first = messages[0]
            yield Violation("I2", first.id, f"never went: {first.state} ({first.reason})")


def _in_time(evidence: Evidence) -> Iterator[Violation]:
    """I3: nothing goes at night, too late, or after what ended it was committed."""
    history, taken = History(evidence.acts), _taken(evidence)
    for message in evidence.messages:
        patient = evidence.patients.get(message.patient)
        if message.asked_for or patient is None:
            continue
        for at in _intents(message, taken.get(message.id, [])):
            yield from _untimely(message, at, patient, history)


def _intents(message: MessageFacts, lines: Iterable[Line]) -> Iterator[float]:
    """When it was decided to call. A call made again was decided about again, before it arrived."""
    for attempt in message.attempts:
        if attempt.outcome != "not_sent":
            yield attempt.started
        if attempt.replays:
            calls = (line.arrived - FLIGHT_SECONDS for line in lines)
            yield from (at for at in calls if at > attempt.started)


def _untimely(
    message: MessageFacts, at: float, patient: PatientFacts, history: History
) -> Iterator[Violation]:
    zone = history.zone_at(patient.id, at)
    zone = patient.zone if zone is None else zone
    if zone and _is_quiet(at, zone, patient):
        yield Violation("I3", message.id, f"sent in quiet hours of {zone}")
    if at > message.not_after + SLACK_SECONDS:
        late = at - message.not_after
        yield Violation("I3", message.id, f"sent {late:.2f} s after its last moment")
    for act in history.in_the_way(patient.id, at - SLACK_SECONDS):
        if act.kind == journal.COMPLETE and act.detail != message.follow_up:
            continue
        since = at - (act.ended or at)
        yield Violation("I3", message.id, f"intent {since:.2f} s after: {act.kind}")


def _matching(evidence: Evidence) -> Iterator[Violation]:
    """I4: what we recorded of each call is what the provider's log says."""
    taken = _taken(evidence)
    known = {message.id: message for message in evidence.messages}
    for ref in taken.keys() - known.keys() - evidence.notices.keys():
        yield Violation("I4", ref, "accepted by the provider, unknown to us")
    for message in evidence.messages:
        yield from _own_record(message)
        lines = taken.get(message.id, [])
        if _count(message.attempts, ("accepted",)) > len(lines):
            yield Violation("I4", message.id, "recorded as accepted, not in the provider's log")
        if len(lines) > _count(message.attempts, ("accepted", "unknown", "abandoned")):
            outcomes = ", ".join(a.outcome for a in message.attempts) or "no attempt"
            yield Violation("I4", message.id, f"the provider has it, we recorded: {outcomes}")
        if message.state == "accepted" and lines and message.provider_id not in _ids(lines):
            yield Violation("I4", message.id, "accepted under an id that is not the provider's")
        yield from (_mistaken(message, line) for line in lines if _denied(message, line))


def _notices(evidence: Evidence) -> Iterator[Violation]:
    """A notice goes again after `unknown`, never after the provider has taken it with a yes."""
    taken = _taken(evidence)
    for notice, attempts in evidence.notices.items():
        lines = len(taken.get(notice, []))
        accepted, unknown = (_count(attempts, (each,)) for each in SENT)
        if accepted > 1:
            yield Violation("I1", notice, f"a notice accepted {accepted} times")
        if not accepted <= lines <= accepted + unknown:
            what = f"a notice: {accepted} accepted, {unknown} unknown, {lines} in the log"
            yield Violation("I4", notice, what)


def _ids(lines: Iterable[Line]) -> set[str]:
    return {line.id for line in lines}


def _own_record(message: MessageFacts) -> Iterator[Violation]:
    """A message and its attempts tell the same story."""
    if _count(message.attempts, ("started",)):
        yield Violation("I4", message.id, "an attempt that never ended")
    for state in SENT:
        if message.state == state and not _count(message.attempts, (state,)):
            yield Violation("I4", message.id, f"{state} without such an attempt")
    if message.state not in SENT and _count(message.attempts, SENT):
        yield Violation("I4", message.id, f"an accepted or unknown attempt, but {message.state}")


def _denied(message: MessageFacts, line: Line) -> bool:
    """Whether the attempt that made this call says that nothing was sent."""
    return any(
        attempt.started - SLACK_SECONDS <= line.arrived <= (attempt.ended or line.at)
        and attempt.outcome in UNSENT_OUTCOMES
        for attempt in message.attempts
    )


def _mistaken(message: MessageFacts, line: Line) -> Violation:
    return Violation("I4", message.id, f"recorded as not sent, taken by the provider ({line.mood})")


def _one_a_day(evidence: Evidence) -> Iterator[Violation]:
    """I5: one accepted or unknown message for each patient and local day."""
    taken, history = _taken(evidence), History(evidence.acts)
    days: dict[tuple[str, date], set[str]] = defaultdict(set)
    for message in evidence.messages:
        patient = evidence.patients.get(message.patient)
        if message.asked_for or patient is None:
            continue
        sent = [line.at for line in taken.get(message.id, [])]
        sent += [a.started for a in message.attempts if a.outcome in SENT]
        for at in sent:
            zone = history.zone_at(patient.id, at) or patient.zone
            days[patient.id, _local(at, zone).date()].add(message.id)
    for (_, day), ids in days.items():
        if len(ids) > 1:
            yield Violation("I5", min(ids), f"{len(ids)} messages to one patient on {day}")


def _few_in_an_outage(evidence: Evidence) -> Iterator[Violation]:
    """An outage leaves the calls in flight and a handful more in doubt, whatever waits."""
    spells: dict[int, list[Line]] = defaultdict(list)
    for line in evidence.ledger:
        if MOODS[line.mood].is_outage:
            spells[line.phase].append(line)
    for lines in spells.values():
        if len(lines) > evidence.connections + OUTAGE_EXTRA:
            most = evidence.connections + OUTAGE_EXTRA
            what = f"{len(lines)} calls in one spell of {lines[0].mood!r}, at most {most}"
            yield Violation("circuit", "", what)


def _taken(evidence: Evidence) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in evidence.ledger:
        if line.kind == ACCEPTED:
            found[line.ref].append(line)
    return found


def _count(attempts: Iterable[AttemptFacts], outcomes: Iterable[str]) -> int:
    wanted = set(outcomes)
    return sum(attempt.outcome in wanted for attempt in attempts)


def _is_quiet(at: float, zone: str, patient: PatientFacts) -> bool:
    wall = _local(at, zone).time()
    begins, ends = patient.quiet_from, patient.quiet_until
    return begins <= wall < ends if begins < ends else wall >= begins or wall < ends


def _local(at: float, zone: str) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
