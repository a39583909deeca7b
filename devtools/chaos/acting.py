"""What staff and patients do during the storm: `acting FOLDER SITE SECONDS SEED`.

The product's own verbs, in a process of their own with the real clock, about patients who are just
about to be written to. Each act and the moment of its commit go to the journal.
"""

import http.client
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from django.db import DatabaseError, InterfaceError, connection

from clinic import enrolment, infusions
from clinic.actors import member_actor, patient_link, system
from clinic.models import Infusion, Patient
from clinic.refusals import Refused
from devtools.chaos import journal, roll
from devtools.chaos.enrolling import yesterday
from devtools.chaos.journal import Journal
from devtools.chaos.zones import night_zones
from reminders.models import Message, State
from surveys import alerts, answering, links
from surveys.answering import NotTaken, Unanswered
from surveys.instruments import completed
from surveys.models import Alert, FollowUp

BY = system("storm")
PAUSE_SECONDS = (0.02, 0.25)  # between two acts
IN_HAND = 0.6  # share of acts about somebody whose message a worker has in its hands now
AHEAD, BEHIND = 6.0, 4.0  # seconds around a patient's due time, for the others
WEIGHTS = {
    journal.AWAY: 24,
    journal.BACK: 16,
    journal.COMPLETE: 20,
    journal.UNSUBSCRIBE: 14,
    journal.WITHDRAW: 14,
    journal.REZONE: 6,
    "help": 4,
    "take": 2,
}


class Undone(Exception):
    """There was nobody to do this to, or it was refused."""


class Hand:
    def __init__(self, folder: Path, site: str, rng: Random) -> None:
        self.journal, self.rng = Journal(folder), rng
        self.site = urlsplit(site)
        self.roll = [each for each in roll.read(folder) if each.group != roll.NIGHT]
        self.moved: list[str] = []  # away, and not yet back
        self.rezoned: set[str] = set()
        self.acts: dict[str, Callable[[Patient, str], str]] = {
            journal.AWAY: self._away,
            journal.BACK: self._back,
            journal.COMPLETE: self._complete,
            journal.UNSUBSCRIBE: self._unsubscribe,
            journal.WITHDRAW: self._withdraw,
            journal.REZONE: self._rezone,
            "help": self._help,
            "take": self._take,
        }

    def act(self) -> None:
        """One act. What fails half way is written down as in doubt."""
        (kind,) = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
        began, who = time.time(), ""
        try:
            who = self._somebody(kind)
            began = time.time()
            detail = self.acts[kind](Patient.objects.select_related("clinic").get(pk=who), who)
            self.journal.done(kind, who, began, detail)
        except (Undone, Refused, NotTaken, Unanswered):
            return
        except (DatabaseError, InterfaceError, OSError, http.client.HTTPException):
            if who:
                self.journal.failed(kind, who, began)
            connection.close()

    def _somebody(self, kind: str) -> str:
        if kind == journal.BACK:
            if not self.moved:
                raise Undone
            return self.moved.pop(self.rng.randrange(len(self.moved)))
        if self.rng.random() < IN_HAND and (held := self._in_hand()):
            return self.rng.choice(held)
        now = time.time()
        near = [each for each in self.roll if now - BEHIND <= each.due <= now + AHEAD]
        return self.rng.choice(near or self.roll).patient

    def _in_hand(self) -> list[str]:
        claimed = Message.objects.filter(state=State.CLAIMED).order_by("due_at", "pk")
        return [str(pk) for pk in claimed.values_list("patient", flat=True)[:100]]

    def _away(self, patient: Patient, who: str) -> str:
        """The infusion was today: its follow-up is due tomorrow."""
        infusions.correct(
            _infusion(patient), {"started_at": _now() - timedelta(minutes=20)}, by=BY, now=_now()
        )
        self.moved.append(who)
        return ""

    def _back(self, patient: Patient, who: str) -> str:
        at = yesterday(patient.clinic.tz, _now())
        infusions.correct(_infusion(patient), {"started_at": at}, by=BY, now=_now())
        return ""

    def _complete(self, patient: Patient, who: str) -> str:
        follow_up = _follow_up(patient)
        by = patient_link(follow_up.pk)
        for part in answering.begin(follow_up, now=_now()).parts:
            answers = dict(part.answers)
            while screen := part.instrument.next_screen(answers):
                given = {item: self.rng.choice(screen.values) for item in screen.items}
                answering.record(follow_up, part.key, screen.key, given, by=by, now=_now())
                answers |= completed(part.instrument, screen, given)
        answering.finish(follow_up, by=by, now=_now())
        return str(follow_up.pk)

    def _unsubscribe(self, patient: Patient, who: str) -> str:
        """One click in a mail program: a POST without cookies."""
        token = links.token(_follow_up(patient), "unsubscribe")
        asked = http.client.HTTPConnection(self.site.hostname or "", self.site.port, timeout=10)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            asked.request("POST", f"/u/{token}/", "List-Unsubscribe=One-Click", headers)
            status = asked.getresponse().status
        finally:
            asked.close()
        if status != 200:
            raise http.client.HTTPException(status)
        return ""

    def _withdraw(self, patient: Patient, who: str) -> str:
        enrolment.withdraw(patient, by=BY, now=_now())
        return ""

    def _rezone(self, patient: Patient, who: str) -> str:
        """They have travelled to where it is night now."""
        if who in self.rezoned:
            raise Undone
        before, after = patient.tz.key, self.rng.choice(night_zones(_now()))
        self.rezoned.add(who)
        enrolment.change_details(patient, {"zone": after}, by=BY, now=_now())
        return f"{before}>{after}"

    def _help(self, patient: Patient, who: str) -> str:
        follow_up = _follow_up(patient)
        alerts.help_now(follow_up, by=patient_link(follow_up.pk), now=_now())
        return ""

    def _take(self, patient: Patient, who: str) -> str:
        alert = Alert.objects.untaken().order_by("?").first()
        if alert is None:
            raise Undone
        (responder,) = alert.clinic.members.responders()
        alerts.take(alert, by=member_actor(responder), now=_now())
        return ""


def _infusion(patient: Patient) -> Infusion:
    return Infusion.objects.standing().get(course__patient=patient)


def _follow_up(patient: Patient) -> FollowUp:
    found = patient.follow_ups.live().order_by("-local_date").first()
    if found is None:
        raise Undone
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def main(arguments: list[str]) -> None:
    folder, site, seconds, seed = arguments
    rng = Random(f"{seed}/acts")
    hand, ends = Hand(Path(folder), site, rng), time.monotonic() + float(seconds)
    print("acting", file=sys.stderr, flush=True)
    while time.monotonic() < ends:
        hand.act()
        time.sleep(rng.uniform(*PAUSE_SECONDS))
