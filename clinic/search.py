"""Find patients by exact words: names, birth date, e-mail, phone, record number.

Identifiers are sealed, so the database compares keyed digests. There is no "begins with".
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic.models import Clinic, Patient, SearchKey
from clinic.sealed import search_key

Kind = SearchKey.Kind
Key = tuple[Kind, str]

MOST_WORDS = 12  # of one search; nobody has more names, and each costs a subquery
_PHONE = re.compile(r"[\d\s().+/-]{7,}")
_BREAKS = (r"\s+", r"[^\w'’]+", r"[\W_]+")  # between words; at hyphens too; at apostrophes too
_DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")


def reindex(patient: Patient) -> None:
    """Make the patient's search keys say what the patient's row says. Safe to repeat."""
    wanted = {(kind, search_key(kind, value)) for kind, value in _keys_of(patient)}
    standing = {(Kind(key.kind), key.digest): key for key in patient.search_keys.all()}
    stale = [key.pk for pair, key in standing.items() if pair not in wanted]
    SearchKey.objects.filter(pk__in=stale).delete()
    SearchKey.objects.bulk_create(
        SearchKey(patient=patient, clinic_id=patient.clinic_id, kind=kind, digest=digest)
        for kind, digest in sorted(wanted - set(standing))
    )


def find(clinic: Clinic, text: str) -> QuerySet[Patient]:
    """Patients of the clinic whom every word of `text` fits, in any order."""
    patients = Patient.objects.filter(clinic=clinic)
    words = text.split()[:MOST_WORDS]
    if not words:
        return patients.none()
    every_word = Q()
    for word in words:
        every_word &= _has(clinic, _readings(word))
    return patients.filter(every_word | _has(clinic, _readings(" ".join(words))))


def duplicates(
    clinic: Clinic, *, name: str, birth_date: date, email: str = "", mrn: str = ""
) -> QuerySet[Patient]:
    """Patients who may be the same person: same name and birth date, or same e-mail or number."""
    same_person = _has(clinic, [(Kind.BIRTH_DATE, birth_date.isoformat())])
    for word in words_of(name):
        same_person &= _has(clinic, [(Kind.NAME_WORD, word)])
    contact = [
        (kind, value)
        for kind, value in ((Kind.EMAIL, email.strip()), (Kind.MRN, mrn.strip()))
        if value
    ]
    return Patient.objects.filter(same_person | _has(clinic, contact), clinic=clinic)


def by_mrn(clinic: Clinic, mrn: str) -> Patient | None:
    return Patient.objects.filter(_has(clinic, [(Kind.MRN, mrn)]), clinic=clinic).first()


def words_of(name: str) -> set[str]:
    """The words a name is found by: "O'Brien-Díaz" run together, O'Brien and Díaz, and Brien."""
    whole = unicodedata.normalize("NFC", name)
    words = {_joined(word) for pattern in _BREAKS for word in re.split(pattern, whole)}
    return {word for word in words if len(word) > 1} or words - {""}


def _keys_of(patient: Patient) -> Iterable[Key]:
    yield from ((Kind.NAME_WORD, word) for word in words_of(patient.name))
    yield Kind.BIRTH_DATE, patient.birth_date_text
    if patient.email:
        yield Kind.EMAIL, patient.email
    if patient.mrn:
        yield Kind.MRN, patient.mrn
    if digits := _digits(patient.phone):
        yield Kind.PHONE, digits


def _has(clinic: Clinic, keys: Iterable[Key]) -> Q:
    """The patient has one of these keys."""
    any_key = Q(pk__in=[])
    for kind, value in keys:
        any_key |= Q(kind=kind, digest=search_key(kind, value))
    return Q(Exists(SearchKey.objects.filter(any_key, patient=OuterRef("pk"), clinic=clinic)))


def _readings(text: str) -> list[Key]:
    """Everything that `text` may mean."""
    readings: list[Key] = [(Kind.MRN, text)]
    if "@" in text:
        readings.append((Kind.EMAIL, text))
    if day := _date(text):
        readings.append((Kind.BIRTH_DATE, day))
    if _PHONE.fullmatch(text):
        readings.append((Kind.PHONE, _digits(text)))
    if _joined(text) and " " not in text:
        readings.append((Kind.NAME_WORD, _joined(text)))
    return readings


def _joined(word: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", word))


def _digits(phone: str) -> str:
    """The last ten digits: the same number with or without its country code."""
    return re.sub(r"\D", "", phone)[-10:]


def _date(text: str) -> str | None:
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007
        except ValueError:
            continue
    return None
