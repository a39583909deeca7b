"""Invented names. The surnames belong to nobody: they are places that do not exist."""

from dataclasses import dataclass
from datetime import date
from random import Random

_FIRST = {
    "en": "Ada Alba Amos Beatrix Caleb Clara Dorian Edda Eliza Felix Greta Hollis Ida Jonah June"
    " Lionel Mabel Milo Nell Odessa Orla Piers Quentin Rhoda Rowan Silas Tamsin Ursula Viola"
    " Wendell Willa Xander Yara Zeb",
    "es": "Amalia Benicio Candela Dámaso Elvira Fermín Graciela Inés Jacinto Leonor",
}
_LAST = {
    "en": "Applemere Birchwhistle Cloudsley Dapplewood Emberlyn Fernhollow Glimmerton Hazelrigg"
    " Inkwater Juniperdale Kestrelby Lanternfield Mossgather Nettlebright Oakenfold Pebblewick"
    " Quillfeather Rainbarrow Silverreed Thistledown Underhedge Velvetmoor Willowmarch Yarrowgate"
    " Brambleton Cinderford Duskwater Elderglen Foxmantle Goldenbrook Heatherlow Ivymoon"
    " Larkspurne Meadowquist",
    "es": "Arroyodulce Campoflor Luzdelmar Montecielo Nubeclara Olmoviejo Peñalinda Riosereno"
    " Valdeluna Vientosur",
}
_PLAIN = str.maketrans("áéíóúñ", "aeioun")


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    birth_date: date
    language: str
    phone: str
    mrn: str
    trusted: tuple[str, str, str]  # name, relation, telephone

    @property
    def email(self) -> str:
        """In a domain that cannot exist, so that no slip can reach anybody."""
        mailbox = self.name.lower().translate(_PLAIN).replace(" ", ".").replace("-", "")
        return f"{mailbox}@patients.example"


def person(number: int, language: str, rng: Random) -> Person:
    """The `number`-th of one language: names do not repeat within forty people."""
    first, last = _FIRST[language].split(), _LAST[language].split()
    stride = 7 if language == "es" else 11  # no common divisor with the number of surnames
    surname = last[(number * stride) % len(last)]
    return Person(
        name=f"{first[number % len(first)]} {surname}",
        birth_date=date(rng.randint(1948, 2003), rng.randint(1, 12), rng.randint(1, 28)),
        language=language,
        phone=f"555-01{rng.randint(0, 99):02d}-{number:03d}",
        mrn=f"D{2600 + number:05d}" if language == "en" else f"D{4600 + number:05d}",
        trusted=_trusted(f"{first[-1 - number % len(first)]} {surname}", number),
    )


def _trusted(name: str, number: int) -> tuple[str, str, str]:
    """Two in three have named somebody."""
    relations = ("", "spouse", "sister or brother")
    relation = relations[number % len(relations)]
    return (name, relation, f"555-0199-{number:03d}") if relation else ("", "", "")
