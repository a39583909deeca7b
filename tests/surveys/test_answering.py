"""Answering through the verbs: what is kept, what raises an alert, and what is refused."""

import hashlib
from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.actors import patient_link
from clinic.definitions import latest
from clinic.models import AuditEntry, Definition, Patient
from surveys import answering
from surveys.answering import NotAsked, NotTaken, Unanswered
from surveys.doors import Door
from surveys.instruments import OffScale
from surveys.models import Alert, Response, Score, StepDue
from surveys.questions import paper
from tests.surveys.follow_ups import add_due, answer, answer_all, make_follow_up, the_response

DAY = timedelta(days=1)


def names(follow_up, now, **more):
    return [question.name for question in paper(follow_up, now=now, **more).shown]


# -- What is asked ----------------------------------------------------------------------------


def test_each_instrument_is_asked_once_and_subsets_are_united(course, now):
    follow_up = make_follow_up(course, ["nrs24:average", "phq2"], now=now)
    add_due(follow_up, course, ["phq2", "nrs24:worst"])
    assert names(follow_up, now) == ["nrs24/average", "nrs24/worst", "phq2/1", "phq2/2"]


def test_all_of_an_instrument_holds_every_subset_of_it(course, now):
    follow_up = make_follow_up(course, ["nrs24:average"], now=now)
    add_due(follow_up, course, ["nrs24"])
    assert len(names(follow_up, now)) == 4


@pytest.mark.parametrize("state", ["superseded", "cancelled", "expired", "skipped", "not_offered"])
def test_a_due_that_has_ended_is_not_asked(course, now, state):
    follow_up = make_follow_up(course, ["phq2"], now=now)
    add_due(follow_up, course, ["gad2"])
    StepDue.objects.filter(instruments=["gad2"]).update(state=state)
    assert names(follow_up, now) == ["phq2/1", "phq2/2"]


def test_what_was_begun_stays_asked_when_its_due_is_cancelled(follow_up, now):
    answer(follow_up, "phq9/1", 1, now=now)
    follow_up.dues.update(state=StepDue.State.CANCELLED)
    assert "phq9/9" in names(follow_up, now)


def test_an_instrument_without_a_translation_is_not_asked_in_that_language(course, now):
    follow_up = make_follow_up(course, ["phq2", "nrs24"], now=now)
    spanish = paper(follow_up, now=now, language="es")
    assert [part.key for part in spanish.parts] == ["phq2"]
    assert spanish.untranslated


def test_a_partly_verified_text_waits_until_the_clinic_switches_it_on(course, clinic, now):
    follow_up = make_follow_up(course, ["gad7"], now=now)
    assert not names(follow_up, now, language="es")
    clinic.switched_on = ["gad7:es"]
    clinic.save()
    follow_up.refresh_from_db()
    assert len(names(follow_up, now, language="es")) == 7


# -- Keeping answers --------------------------------------------------------------------------


def test_the_first_answer_begins_the_follow_up(follow_up, now):
    answer(follow_up, "phq9/1", 2, now=now)
    follow_up.refresh_from_db()
    response = the_response(follow_up, "phq9")
    assert follow_up.started_at == now
    assert response.answers == {"1": 2}
    assert response.answered_at == {"1": now.isoformat()}
    assert len(response.wording_sha256) == 64
    assert response.finished_at is None


def test_an_answer_given_twice_is_kept_once(follow_up, now):
    for minute in range(2):
        answer(follow_up, "phq9/1", 2, now=now + minute * timedelta(minutes=1))
    response = the_response(follow_up, "phq9")
    assert response.answered_at == {"1": now.isoformat()}
    assert response.replaced == []
    assert AuditEntry.objects.filter(action="answer").count() == 1


def test_a_changed_answer_keeps_the_one_before(follow_up, now):
    answer(follow_up, "phq9/1", 2, now=now)
    answer(follow_up, "phq9/1", 3, now=now + DAY)
    response = the_response(follow_up, "phq9")
    assert response.answers == {"1": 3}
    assert response.replaced == [["1", 2, now.isoformat()]]
    entry = AuditEntry.objects.get(action="change answer")
    assert entry.fields == ["item_1"]


def publish(clinic, key, version, old, new, now) -> Definition:
    """Another version of a built-in instrument, in which one phrase reads differently."""
    before = latest(clinic, Definition.Kind.INSTRUMENT, key)
    text = before.text.replace(f'version = "{before.version}"', f'version = "{version}"')
    text = text.replace(old, new)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Definition.objects.create(
        kind=before.kind, key=key, version=version, text=text, sha256=sha256, recorded_at=now
    )


def test_a_version_published_meanwhile_is_for_those_who_have_not_begun(
    clinic, course, follow_up, now
):
    answer(follow_up, "phq9/1", 1, now=now)
    begun = the_response(follow_up, "phq9").instrument
    newer = publish(clinic, "phq9", "2099-01", "Feeling down", "Feeling low", now)
    answer_all(follow_up, now=now + DAY, value=1)
    finished = the_response(follow_up, "phq9")
    assert finished.instrument == begun
    assert finished.scores.get(scale="total").value == 9
    assert Alert.objects.get(trigger="9=1")
    later = make_follow_up(course, ["phq9"], now=now, opens=-2 * DAY)
    assert {part.definition for part in paper(later, now=now).parts} == {newer}
    words = [part.wording.items["2"] for part in paper(later, now=now).parts]
    assert words == ["Feeling low, depressed, or hopeless"]


def test_answering_in_another_language_is_recorded_with_its_words(follow_up, now):
    answer(follow_up, "phq9/1", 2, now=now)
    english = the_response(follow_up, "phq9").wording_sha256
    answering.record(
        follow_up, "phq9", "2", {"2": 1}, by=patient_link(follow_up.pk), now=now, language="es"
    )
    response = the_response(follow_up, "phq9")
    assert response.language == "es"
    assert response.wording_sha256 != english


@pytest.mark.parametrize(
    ("name", "values", "refusal"),
    [
        pytest.param("phq9/1", {"1": 4}, OffScale, id="off the scale"),
        pytest.param("phq9/1", {"1": True}, OffScale, id="true is not 1"),
        pytest.param("phq9/1", {"2": 1}, OffScale, id="an item of another screen"),
        pytest.param("phq9/1", {}, OffScale, id="nothing"),
        pytest.param("phq9/10", {"10": 1}, NotAsked, id="a screen that is not shown yet"),
        pytest.param("phq9/11", {"11": 1}, NotAsked, id="a screen that does not exist"),
        pytest.param("gad7/1", {"1": 1}, NotAsked, id="an instrument that is not asked"),
    ],
)
def test_what_does_not_stand_before_the_patient_is_refused(follow_up, now, name, values, refusal):
    key, _, screen = name.partition("/")
    with pytest.raises(refusal):
        answering.record(follow_up, key, screen, values, by=patient_link(follow_up.pk), now=now)
    assert not Response.objects.exists()


def test_an_unticked_box_is_zero_and_so_is_how_bad_it_was(check_in, now):
    by = patient_link(check_in.pk)
    answering.record(check_in, "checkin", "symptoms", {"had-1": 1}, by=by, now=now)
    response = the_response(check_in, "checkin")
    assert response.answers["had-1"] == 1
    assert "1" not in response.answers
    assert response.answers["had-2"] == response.answers["2"] == 0
    assert "checkin/how-bad-1" in names(check_in, now)
    assert "checkin/how-bad-2" not in names(check_in, now)


def test_a_severity_screen_does_not_offer_none(check_in, now):
    by = patient_link(check_in.pk)
    answering.record(check_in, "checkin", "symptoms", {"had-1": 1}, by=by, now=now)
    with pytest.raises(OffScale):
        answering.record(check_in, "checkin", "how-bad-1", {"1": 0}, by=by, now=now)


# -- Sending ----------------------------------------------------------------------------------


def test_sending_scores_each_instrument(follow_up, now):
    answer_all(follow_up, now=now, value=1)
    score = Score.objects.get()
    assert (score.value, score.band, score.missing) == (Decimal(9), "mild", 0)
    response = the_response(follow_up, "phq9")
    assert (response.finished_at, response.late) == (now, False)


def test_sending_twice_is_sending_once(follow_up, now):
    answer_all(follow_up, now=now)
    answering.finish(follow_up, by=patient_link(follow_up.pk), now=now + DAY)
    follow_up.refresh_from_db()
    assert follow_up.finished_at == now
    assert Score.objects.count() == 1


def test_sending_asks_the_schedule_to_look_again(follow_up, course, now):
    answer_all(follow_up, now=now)
    before = course.revision
    course.refresh_from_db()
    assert course.revision == before + 1
    assert course.replan_at == now


def test_nothing_is_sent_while_a_question_is_open(follow_up, now):
    answer(follow_up, "phq9/1", 1, now=now)
    with pytest.raises(Unanswered):
        answering.finish(follow_up, by=patient_link(follow_up.pk), now=now)


def test_a_skipped_question_is_not_an_open_one(course, now):
    follow_up = make_follow_up(course, ["phq2"], now=now)
    answer_all(follow_up, now=now, i1=None)
    score = Score.objects.get()
    assert (score.value, score.missing) == (None, 1)


def test_after_sending_answers_stand_as_they_were_sent(follow_up, now):
    answer_all(follow_up, now=now)
    answer(follow_up, "phq9/1", 3, now=now)
    assert the_response(follow_up, "phq9").answers["1"] == 0


def test_a_worrying_answer_after_sending_is_heard(follow_up, now):
    answer_all(follow_up, now=now)
    answer(follow_up, "phq9/9", 2, now=now)
    assert Alert.objects.get().trigger == "9=2"
    assert the_response(follow_up, "phq9").answers["9"] == 0


# -- Late, and gone ---------------------------------------------------------------------------


def test_an_answer_within_a_week_of_closing_is_kept_as_late(course, now):
    follow_up = make_follow_up(course, ["phq9"], now=now, opens=-3 * DAY, closes=-1 * DAY)
    follow_up.dues.update(state=StepDue.State.EXPIRED)
    answer_all(follow_up, now=now, i9=1)
    response = the_response(follow_up, "phq9")
    assert response.late
    assert not Response.objects.for_outcomes().exists()
    assert Alert.objects.get(trigger="9=1").level == "urgent"


def test_a_week_after_closing_nothing_is_taken(course, now):
    follow_up = make_follow_up(course, ["phq9"], now=now, opens=-9 * DAY, closes=-7 * DAY)
    with pytest.raises(NotTaken) as refused:
        answer(follow_up, "phq9/1", 1, now=now)
    assert refused.value.door is Door.OVER


@pytest.mark.parametrize("status", [Patient.Status.WITHDRAWN, Patient.Status.DECEASED])
def test_nothing_is_taken_from_a_patient_who_has_left(follow_up, patient, now, status):
    answer(follow_up, "phq9/1", 1, now=now)
    Patient.objects.filter(pk=patient.pk).update(status=status)
    with pytest.raises(NotTaken):
        answer(follow_up, "phq9/2", 1, now=now)


def test_a_paused_patient_may_still_answer(follow_up, patient, now):
    Patient.objects.filter(pk=patient.pk).update(status=Patient.Status.PAUSED)
    answer(follow_up, "phq9/1", 1, now=now)
    assert Response.objects.exists()
