"""Whether this clinic may ask about suicide, and what is missing for it. In words for staff."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from clinic.models import Clinic, Member
from reminders.roster import roster_of
from surveys import instruments
from surveys.cover import TEST_HOLDS_FOR, Cover, cover_of, proven_responders
from surveys.models import Alert


@dataclass(frozen=True, slots=True)
class Person:
    """A member, and when a test alert last reached them."""

    member: Member
    proven_at: datetime | None
    is_proven: bool


@dataclass(frozen=True, slots=True)
class Gate:
    cover: Cover
    has_responders: bool
    test_is_open: bool
    has_hours: bool
    has_reader: bool

    @property
    def is_open(self) -> bool:
        return self.cover != "none"


@dataclass(frozen=True, slots=True)
class PartlyVerified:
    """A translation a clinic may switch on knowingly."""

    name: str  # "gad7:es"
    title: str
    language: str
    source: str
    is_on: bool


def gate(clinic: Clinic, *, now: datetime) -> Gate:
    return Gate(
        cover=cover_of(clinic, now=now),
        has_responders=clinic.members.responders().exists(),
        test_is_open=clinic.alerts.open().filter(rule=Alert.TEST_RULE).exists(),
        has_hours=clinic.cover == Clinic.Cover.ALWAYS or bool(clinic.staffed_days),
        has_reader=bool(clinic.mailbox_reader),
    )


def people(clinic: Clinic, *, now: datetime) -> list[Person]:
    """Everybody who works here, by role and name."""
    taken = Alert.objects.filter(clinic=clinic, rule=Alert.TEST_RULE, taken_at__isnull=False)
    last = dict(taken.order_by("taken_at").values_list("owner_id", "taken_at"))
    proven = {member.pk for member in proven_responders(clinic, now=now)}
    members = clinic.members.filter(active=True).select_related("user", "clinic")
    rows = [Person(member, last.get(member.pk), member.pk in proven) for member in members]
    return sorted(rows, key=lambda row: (row.member.role, row.member.user.name.casefold()))


def further(clinic: Clinic) -> list[str]:
    """Who is told, in this order, when no responder takes an alert. One query."""
    others = roster_of(clinic.pk).others
    return [member.user.name or member.user.email for member in others]


def partly_verified(clinic: Clinic) -> Iterable[PartlyVerified]:
    """Published translations that wait for a clinic's own decision."""
    for key in sorted({key for key, _ in instruments.available()}):
        instrument = instruments.latest(key)
        for language, wording in instrument.wording.items():
            name = f"{key}:{language}"
            if not (wording.reviewed or instrument.project_text):
                yield PartlyVerified(
                    name, wording.title, language, wording.source, name in clinic.switched_on
                )


TEST_DAYS = TEST_HOLDS_FOR.days
