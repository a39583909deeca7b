"""What a patient agrees to before anything is sent: versioned texts, shown to be read or signed.

A recorded version never changes: patients' rows point at it. A new wording is a new version.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CURRENT = "2026-11"


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version in one language. `warning` is printed in bold."""

    title: str
    paragraphs: tuple[str, ...]
    warning: str
    closing: tuple[str, ...]
    reviewed: bool  # a translation stays unreviewed until a clinician who speaks it signs


_ENGLISH = ConsentText(
    title="Check-ins by e-mail after your treatment",
    paragraphs=(
        "Your clinic will e-mail you short questionnaires about how you feel. Taking part is your"
        " choice. You can skip a question, and you can stop at any time; your care does not depend"
        " on it.",
        "Your clinic's care team reads your answers during the clinic's working hours, not at once."
        " An answer that worries the team is brought to them sooner.",
    ),
    warning="This is not watched around the clock. Do not use it to get help in an emergency. Call"
    " or text 988, or call 911.",
    closing=(
        "An answer may lead to a phone call from your clinic.",
        "If the clinic believes that your life is in danger, it may contact emergency services.",
        "Please check that the phone number and the address your clinic has for you are right.",
        "E-mail is not fully private. Our messages say nothing about your treatment; your answers"
        " are given on a protected page.",
    ),
    reviewed=True,
)

_SPANISH = ConsentText(
    title="Cuestionarios por correo electrónico después de su tratamiento",
    paragraphs=(
        "Su clínica le enviará por correo electrónico cuestionarios breves sobre cómo se siente."
        " Participar es decisión suya. Puede omitir una pregunta y puede dejar de participar en"
        " cualquier momento; su atención no depende de ello.",
        "El equipo de su clínica lee sus respuestas en el horario de atención, no de inmediato. Una"
        " respuesta que preocupe al equipo le llega antes.",
    ),
    warning="Esto no se vigila las 24 horas. No lo use para pedir ayuda en una emergencia. Llame o"
    " envíe un mensaje de texto al 988, o llame al 911.",
    closing=(
        "Una respuesta puede dar lugar a una llamada telefónica de su clínica.",
        "Si la clínica cree que su vida corre peligro, puede avisar a los servicios de emergencia.",
        "Compruebe que el teléfono y la dirección que su clínica tiene de usted son correctos.",
        "El correo electrónico no es totalmente privado. Nuestros mensajes no dicen nada de su"
        " tratamiento; sus respuestas se dan en una página protegida.",
    ),
    reviewed=False,
)

TEXTS: Mapping[str, Mapping[str, ConsentText]] = {
    "2026-11": {"en": _ENGLISH, "es": _SPANISH},
}


def is_known(version: str) -> bool:
    return version in TEXTS


def text(language: str, version: str = CURRENT) -> ConsentText:
    return TEXTS[version].get(language, TEXTS[version]["en"])
