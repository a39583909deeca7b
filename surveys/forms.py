"""What a patient chose or typed, checked. Nothing here saves."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from surveys.instruments.shape import Answers
from surveys.questions import Question

NONE = "none"
DECLINE = "decline"
NO_ANSWER = _("Please choose an answer, or skip this question.")
NONE_AND_SOME = _("Choose “%(none)s”, or the ones that apply to you. Not both.")
SAFE = [
    ("yes", _("Yes")),
    ("unsure", _("I am not sure")),
    ("no", _("No")),
    ("declined", _("Prefer not to say")),
]


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    value: str
    label: str
    checked: bool
    is_apart: bool = False  # "none of these", "prefer not to answer": set off from the others


class AnswerForm(forms.Form):
    """One screen: one choice, or ticks with an exclusive "none of these"."""

    def __init__(
        self, question: Question, data: QueryDict | None = None, *, chosen: Answers | None = None
    ) -> None:
        super().__init__(data, initial={"answer": _initial(question, chosen)} if chosen else None)
        self.question = question
        self.is_ticks = question.screen.kind == "ticks"
        kind = forms.MultipleChoiceField if self.is_ticks else forms.ChoiceField
        self.fields["answer"] = kind(
            choices=_choices(question), error_messages={"required": NO_ANSWER}
        )

    def clean_answer(self) -> Any:
        answer = self.cleaned_data["answer"]
        if self.is_ticks and NONE in answer and len(answer) > 1:
            words = {"none": self.question.part.wording.none_of_these}
            raise forms.ValidationError(NONE_AND_SOME, code="both", params=words)
        return answer

    def values(self) -> dict[str, int | None]:
        answer = self.cleaned_data["answer"]
        if self.is_ticks:
            return {item: 1 for item in answer if item != NONE}
        return {self.question.screen.items[0]: None if answer == DECLINE else int(answer)}

    @property
    def options(self) -> list[Option]:
        value = self["answer"].value() or ()
        chosen = set(value) if self.is_ticks else {value}
        return [
            Option(f"answer-{n}", code, label, code in chosen, code in (NONE, DECLINE))
            for n, (code, label) in enumerate(_choices(self.question))
        ]

    @property
    def may_skip(self) -> bool:
        """Only after an empty try, so that a skip is meant."""
        return self.has_error("answer", "required")


class SafetyForm(forms.Form):
    """After a worrying answer: how the patient is now, and where to call today."""

    safe = forms.ChoiceField(choices=SAFE, required=False)
    phone = forms.CharField(max_length=32, required=False)

    @property
    def options(self) -> list[Option]:
        value = self["safe"].value()
        return [
            Option(f"safe-{n}", code, str(label), code == value)
            for n, (code, label) in enumerate(SAFE)
        ]


@dataclass(frozen=True, slots=True)
class DatePart:
    name: str
    label: str
    value: str
    length: int  # digits


class BirthDateForm(forms.Form):
    """A date in three fields, as people know it. What was typed stays in them."""

    month = forms.CharField(required=False, label=_("Month"))
    day = forms.CharField(required=False, label=_("Day"))
    year = forms.CharField(required=False, label=_("Year"))

    def __init__(self, data: QueryDict | None = None, *, today: date) -> None:
        super().__init__(data)
        self.today = today

    def clean(self) -> dict[str, Any]:
        typed = [self.cleaned_data.get(name, "") for name in ("year", "month", "day")]
        if not all(text.isdecimal() for text in typed):
            raise forms.ValidationError(_("Enter your date of birth: month, day and year."))
        if len(typed[0]) != 4:
            raise forms.ValidationError(_("Write the year with four digits, like 1984."))
        try:
            born = date(*map(int, typed))
        except (ValueError, OverflowError):
            raise forms.ValidationError(
                _("This date is not in the calendar. Please check the day and the month.")
            ) from None
        if born > self.today:
            raise forms.ValidationError(_("This date is in the future. Please check the year."))
        return {**self.cleaned_data, "born": born}

    @property
    def parts(self) -> list[DatePart]:
        """In the order in which the language writes a date."""
        order = pgettext("the order of a date", "month day year").split()
        lengths = {"year": 4}
        return [
            DatePart(name, str(self[name].label), self[name].value() or "", lengths.get(name, 2))
            for name in order
        ]


def _choices(question: Question) -> list[tuple[str, str]]:
    wording, screen = question.part.wording, question.screen
    if screen.kind == "ticks":
        ticks = [(item, wording.items[item]) for item in screen.items]
        return [*ticks, (NONE, wording.none_of_these)]
    item = screen.items[0]
    labels = [(str(v), text) for v, text in wording.choices[item].items() if v in screen.values]
    declined = question.part.instrument.item(item).may_decline
    return [*labels, (DECLINE, wording.declines[item])] if declined else labels


def _initial(question: Question, chosen: Answers) -> str | list[str] | None:
    items = question.screen.items
    if question.screen.kind == "ticks":
        ticked = [item for item in items if chosen.get(item)]
        return ticked or [NONE]
    value = chosen.get(items[0])
    if value is None:
        return DECLINE if items[0] in question.part.wording.declines else None
    return str(value)
