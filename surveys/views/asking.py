"""One question per screen, and the page on which they are checked before sending."""

from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from surveys import answering, passes
from surveys.answering import NotAsked, Recorded, Unanswered
from surveys.doors import Door, door
from surveys.forms import AnswerForm
from surveys.instruments import OffScale
from surveys.passes import Pass
from surveys.questions import Paper, Question
from surveys.views.frame import Here, closed, see_other, show, with_pass
from surveys.wording import review_line, words


@with_pass("GET", "HEAD", "POST")
def onward(request: HttpRequest, here: Here) -> HttpResponse:
    """Where this patient goes on: the first open question, else the answers to check."""
    asked = _paper(here)
    if asked.untranslated and not asked.parts:
        return show(request, "untranslated", here)
    if not asked.parts:
        return closed(request, here.follow_up)
    question = asked.first_open()
    if question is None:
        return see_other("surveys:review")
    return see_other("surveys:question", question.place)


@with_pass("GET", "HEAD", "POST", keeps_input=True)
def question(request: HttpRequest, here: Here, place: int) -> HttpResponse:
    """Ask one question and keep its answer before the next one is drawn."""
    if request.method == "POST" and "language" not in request.POST:
        return _answered(request, here, place)
    asked = _paper(here)
    found = asked.named(request.POST["question"]) if "question" in request.POST else asked.at(place)
    if found is None:
        return see_other("surveys:onward")
    if request.method == "POST":
        return _ask(request, here, asked, found, AnswerForm(found, request.POST), is_quiet=True)
    chosen = found.part.answers if here.held.has(found.name) else None
    return _ask(request, here, asked, found, AnswerForm(found, chosen=chosen))


def _answered(request: HttpRequest, here: Here, place: int) -> HttpResponse:
    """Keep what was chosen, whatever has become of the follow-up since its page was drawn."""
    found = _as_read(request, here)
    if found is None:
        return see_other("surveys:question", place)
    form, is_skipped = AnswerForm(found, request.POST), "skip" in request.POST
    if not is_skipped and not form.is_valid():
        return _ask(request, here, _paper(here), found, form)
    try:
        recorded = _record(here, found, form, is_skipped=is_skipped)
    except (NotAsked, OffScale):
        return see_other("surveys:onward")
    return _next(request, here, found, recorded)


def _as_read(request: HttpRequest, here: Here) -> Question | None:
    """The question in the very words that stood on the page: the language may have been switched
    in another tab since. None when no words of today are those."""
    name = request.POST.get("question", "")
    for language in sorted(dict(settings.LANGUAGES), key=lambda code: code != here.held.language):
        with suppress(NotAsked):
            found = answering.question(here.follow_up, name, now=here.now, language=language)
            if found.seal == request.POST.get("words"):
                return found
    return None


@with_pass("GET", "HEAD", "POST")
def review(request: HttpRequest, here: Here) -> HttpResponse:
    """Check the answers, change one, send them."""
    asked = _paper(here)
    if asked.first_open() is not None or not asked.parts:
        return see_other("surveys:onward")
    if request.method == "POST":
        try:
            answering.finish(here.follow_up, by=here.by, now=here.now, language=here.held.language)
        except Unanswered:
            return see_other("surveys:onward")
        return see_other("surveys:sent")
    return show(
        request,
        "review",
        here,
        lines=[review_line(question, here.held) for question in asked.shown],
        untranslated=asked.untranslated,
    )


def _paper(here: Here) -> Paper:
    return answering.begin(here.follow_up, now=here.now, language=here.held.language)


def _ask(
    request: HttpRequest,
    here: Here,
    asked: Paper,
    question: Question,
    form: AnswerForm,
    *,
    is_quiet: bool = False,
) -> HttpResponse:
    before = asked.before(question)
    return show(
        request,
        "question",
        here,
        form=form,
        words=words(question),
        question=question,
        number=asked.number(question),
        total=len(asked.shown),
        back=before.place if before else None,
        is_change="change" in request.GET or "change" in request.POST,
        is_watched=_is_watched(question),
        errors=[] if is_quiet else form.errors.get("answer", []),
    )


def _is_watched(question: Question) -> bool:
    """Whether an answer to it may interrupt with help: then help is at hand without a network."""
    instrument, screen = question.part.instrument, question.screen
    rules = (instrument.item(item).safety for item in screen.items)
    return any(rule is not None and rule.kind != "other" for rule in rules)


def _record(here: Here, question: Question, form: AnswerForm, *, is_skipped: bool) -> Recorded:
    values = dict.fromkeys(question.screen.items) if is_skipped else form.values()
    return answering.record(
        here.follow_up,
        question.part.key,
        question.screen.key,
        values,
        by=here.by,
        now=here.now,
        language=question.part.language,
    )


def _next(request: HttpRequest, here: Here, question: Question, recorded: Recorded) -> HttpResponse:
    """Help comes before the next question."""
    held = here.held.with_given(question.name)
    if recorded.gave("suicide"):
        response = see_other("surveys:help")
    elif recorded.gave("emergency"):
        response = see_other("surveys:emergency")
    elif door(here.follow_up, now=here.now) not in (Door.OPEN, Door.LATE):
        response = see_other("surveys:onward")
    elif "change" in request.POST:
        response = _back_to_check(here)
    else:
        response = _following(here, question, held)
    passes.hand(response, held, now=here.now)
    return response


def _back_to_check(here: Here) -> HttpResponse:
    """What a change has opened is asked first, and leads back too."""
    opened = here.paper().first_open()
    if opened is None:
        return see_other("surveys:onward")
    return see_other(f"{reverse('surveys:question', args=[opened.place])}?change")


def _following(here: Here, question: Question, held: Pass) -> HttpResponse:
    """The next question that is open, or that was answered in this browser: going back and on
    again shows one's own answers."""
    later = (
        other
        for other in here.paper().shown
        if other.place > question.place and (not other.is_answered or held.has(other.name))
    )
    following = next(later, None)
    if following is None:
        return see_other("surveys:onward")
    return see_other("surveys:question", following.place)
