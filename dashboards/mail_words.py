"""What staff pages say about an e-mail: what became of it, why it did not go, why it goes when."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from reminders.protocols import Anchor, Step
from reminders.resolving import Obstacle


def why_not(state: str, reason: str) -> str:
    """Why a message did not go, in plain words. An unknown reason is said as it is."""
    if state in ("rejected", "failed", "unknown"):
        return said(reason) if reason else ""
    return str(_REASONS.get(reason, reason))


def why_moved(reason: str) -> str:
    """Why something moved; what ended it is said like any other reason."""
    return reason if reason == "answered" else why_not("", reason)


# The engine's own short reasons.
_REASONS = {
    "due": "",
    "missed": gettext_lazy("its time had passed"),
    "closed": gettext_lazy("the check-in had closed"),
    "its window is over": gettext_lazy("the check-in had closed"),
    "answered": gettext_lazy("answered before it went"),
    "moved": gettext_lazy("moved to a later time"),
    "paused": gettext_lazy("e-mail was paused"),
    "quiet hours": gettext_lazy("waited for the end of quiet hours"),
    "not a day of the patient's": gettext_lazy(
        "waited for a day on which this patient may be written to"
    ),
    "not an allowed day": gettext_lazy("waited for a day on which this patient may be written to"),
    "another message the same day": gettext_lazy("another e-mail went the same day"),
    "an alert is open": gettext_lazy("left out; the clinicians know why"),
    "no e-mail address": gettext_lazy("there is no e-mail address"),
    "hard_bounce": gettext_lazy("the address bounced before"),
    "soft_bounces": gettext_lazy("the address bounced three times"),
    "complaint": gettext_lazy("the patient marked our mail as spam"),
    "unsubscribed": gettext_lazy("the patient unsubscribed"),
    "refused": gettext_lazy("the address was refused before"),
    "staff": gettext_lazy("e-mail was stopped by staff"),
    "follow-up withdrawn": gettext_lazy("the check-in was taken back"),
    "patient withdrawn": gettext_lazy("the patient has withdrawn"),
    "patient deceased": gettext_lazy("the patient has died"),
    "the schedule is behind": gettext_lazy("the schedule is being brought up to date"),
    "not to be sent any more": gettext_lazy("no longer part of the schedule"),
}


def said(error: str) -> str:
    """What the provider answered: a sentence for people, made of a class and a code."""
    found = next((words for sign, words in _SAID if sign in error), None)
    return str(found or _("the mail server answered %(error)s") % {"error": error})


# The first sign found in an error decides; what is unclear is said to be so.
_SAID = (
    ("worker lost", gettext_lazy("our own sending was interrupted; nothing is known of an answer")),
    ("called off", gettext_lazy("another call just failed, so this one was not made")),
    ("held up", gettext_lazy("our own sending was held up before it called")),
    ("ConnectTimeout", gettext_lazy("the mail provider could not be reached")),
    ("Timeout", gettext_lazy("the mail provider did not answer in time")),
    ("timeout", gettext_lazy("the mail provider did not answer in time")),
    ("Disconnected", gettext_lazy("the mail server hung up in the middle")),
    ("ConnectionReset", gettext_lazy("the mail server hung up in the middle")),
    ("ConnectionRefused", gettext_lazy("the mail server could not be reached")),
    ("Connection", gettext_lazy("the connection broke before an answer came")),
    ("RecipientsRefused", gettext_lazy("the mail server refused this address")),
    ("SenderRefused", gettext_lazy("the mail server refused the clinic's sender address")),
    ("Authentication", gettext_lazy("the mail server did not accept our password")),
    (
        "Undecided",
        gettext_lazy("the mail provider answered without saying whether it took the mail"),
    ),
    (" 429", gettext_lazy("the mail provider asked us to wait")),
    (" 401", gettext_lazy("the mail provider did not accept our key")),
    (" 403", gettext_lazy("the mail provider did not let us in")),
    (" 5", gettext_lazy("the mail provider reported a fault of its own")),
    (" 4", gettext_lazy("the mail provider did not accept this mail")),
)


def outcome(came: str) -> str:
    """What came of one call."""
    names = {
        "started": _("under way"),
        "accepted": _("the provider took it"),
        "unknown": _("unclear"),
        "not_sent": _("not sent"),
        "rejected": _("refused for this address"),
        "failed": _("could not be sent"),
        "abandoned": _("unclear; given up when it was sent again"),
    }
    return names.get(came, came)


def report(kind: str) -> str:
    """What the provider reported afterwards, by the event's kind or by how we read it."""
    names = {
        "queued": _("taken by the provider"),
        "sent": _("handed on by the provider"),
        "taken": _("taken by the provider"),
        "delivered": _("delivered to the mailbox"),
        "deferred": _("delayed; the provider goes on trying"),
        "soft": _("came back: the mailbox is full or away"),
        "bounced": _("came back"),
        "hard": _("bounced: there is no such mailbox"),
        "complained": _("marked as spam"),
        "unsubscribed": _("unsubscribed"),
        "refused": _("refused by the provider"),
        "rejected": _("refused by the provider"),
        "failed": _("given up by the provider"),
    }
    return names.get(kind, "")


def obstacle(which: Obstacle, until: str) -> str:
    """What would hold a message back now, as the end of "It would wait, because …"."""
    names = {
        Obstacle.PAUSED: _("e-mail to this patient is paused"),
        Obstacle.QUIET: _("it is a quiet hour where the patient is, until %(until)s")
        % {"until": until},
        Obstacle.DAY: _("this is not a day on which this patient is written to"),
        Obstacle.CAP: _("another e-mail went to this patient today"),
        Obstacle.LATE: _("the time in which it would go by itself is over"),
    }
    return names[which]


def rule(step: Step) -> str:
    """1 day after each infusion, at 10:00."""
    when = _at_once_or_at(step)
    return _("%(day)s, %(when)s") % {"day": _day(step), "when": when}


def _at_once_or_at(step: Step) -> str:
    if step.send_at is None:
        return _("at once")
    return _("at %(time)s") % {"time": step.send_at.strftime("%H:%M")}


def _day(step: Step) -> str:
    n = abs(step.offset_days)
    if step.anchor is Anchor.EVERY:
        return _("every %(n)s days from enrolment") % {"n": step.every_days}
    if step.offset_days == 0:
        return _("on the day of %(anchor)s") % {"anchor": anchor(step.anchor)}
    words = (
        ngettext("%(n)s day before %(anchor)s", "%(n)s days before %(anchor)s", n)
        if step.offset_days < 0
        else ngettext("%(n)s day after %(anchor)s", "%(n)s days after %(anchor)s", n)
    )
    return words % {"n": n, "anchor": anchor(step.anchor)}


def anchor(which: str) -> str:
    names = {
        Anchor.ENROLMENT: _("enrolment"),
        Anchor.EACH_INFUSION: _("each infusion"),
        Anchor.FIRST_INFUSION: _("the first infusion"),
        Anchor.LAST_INFUSION: _("the last infusion"),
        Anchor.NEXT_PLANNED: _("the next planned infusion"),
        Anchor.EVERY: _("enrolment"),
    }
    return names.get(Anchor(which), which) if which in list(Anchor) else which


def counted_from(which: str, number: int | None) -> str:
    """The very thing a step is counted from: infusion 3."""
    if number is not None:
        return _("infusion %(number)s") % {"number": number}
    return anchor(which)


def field(name: str) -> str:
    """What moved."""
    names = {
        "target_at": _("the time the rule gives"),
        "send_at": _("the time of sending"),
        "due_at": _("the time of sending"),
        "opens_at": _("the opening"),
        "closes_at": _("the end of the window"),
        "not_after": _("the last moment it may go"),
        "instruments": _("what is asked"),
        "state": _("the state"),
    }
    return names.get(name, name.replace("_", " "))


def state(name: str) -> str:
    """A state of a message or of a due, as a word."""
    names = {
        "scheduled": _("to be sent"),
        "claimed": _("to be sent"),
        "sending": _("being sent"),
        "accepted": _("sent"),
        "unknown": _("unclear"),
        "rejected": _("refused"),
        "failed": _("could not be sent"),
        "cancelled": _("cancelled"),
        "superseded": _("replaced"),
        "expired": _("missed"),
        "suppressed": _("not written to"),
        "skipped": _("skipped"),
        "planned": _("planned"),
        "asked": _("asked"),
        "satisfied": _("answered"),
        "not_offered": _("not offered"),
    }
    return names.get(name, name)


def act(action: str, fields: list[str]) -> str:
    """What somebody did, as the audit trail names it."""
    names = {
        "enrol": _("enrolled"),
        "change details": _("details changed"),
        "pause": _("paused"),
        "resume": _("resumed"),
        "withdraw": _("withdrawn from follow-up"),
        "mark deceased": _("recorded as deceased"),
        "reinstate": _("follow-up taken up again"),
        "open course": _("course opened"),
        "close course": _("course closed"),
        "log infusion": _("infusion logged"),
        "plan infusion": _("infusion planned"),
        "correct infusion": _("infusion corrected"),
        "cancel infusion": _("infusion cancelled"),
        "unsubscribe": _("unsubscribed by the patient"),
        "resubscribe": _("e-mail wanted again by the patient"),
        "lift suppression": _("e-mail allowed again"),
        "confirm sent": _("said to have been sent"),
        "send again": _("sent again"),
        "ask for link": _("new link asked for"),
        "change clinic": _("the clinic's settings changed"),
    }
    named = ", ".join(name.replace("_", " ") for name in fields)
    told = names.get(action, action)
    return f"{told}: {named}" if named and action in _NAMES_FIELDS else told


_NAMES_FIELDS = ("change details", "correct infusion", "change clinic")
TOLD_ACTS = (
    *("enrol", "change details", "pause", "resume", "withdraw", "mark deceased", "reinstate"),
    *("open course", "close course", "log infusion", "plan infusion", "correct infusion"),
    *("cancel infusion", "unsubscribe", "lift suppression", "confirm sent", "send again"),
    *("ask for link", "change clinic", "resubscribe"),
)
