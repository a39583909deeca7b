"""Small definitions for tests: the engine's rules without anybody's wording."""

from collections.abc import Mapping, Sequence

from surveys.instruments import Instrument, parse


def definition(
    items: Mapping[str, Sequence[int]], scale: str, *, top: str = "", gates: str = ""
) -> str:
    tables = "".join(
        f'[[items]]\nkey = "{key}"\nvalues = {list(values)}\n{top_of(key, top)}\n'
        for key, values in items.items()
    )
    words = "".join(f'{key} = "Question {key}"\n' for key in items)
    choices = "".join(_choices(key, values) for key, values in items.items())
    return (
        'key = "sample"\nversion = "1"\nkind = "choice"\nlicence = "none"\nsource = "a test"\n'
        f'{gates}\n[[scales]]\nkey = "total"\n{scale}\n{tables}'
        '[wording.en]\nsource = "a test"\nreviewed = true\ntitle = "Sample"\nattribution = ""\n'
        f"[wording.en.items]\n{words}{choices}"
    )


def _choices(key: str, values: Sequence[int]) -> str:
    labels = ", ".join(f'{value} = "{value}"' for value in values)
    return f'[[wording.en.choices]]\nitems = ["{key}"]\nlabels = {{ {labels} }}\n'


def top_of(key: str, top: str) -> str:
    """Extra lines for one item, given as "key: line"."""
    name, _, line = top.partition(": ")
    return line if name == key else ""


def instrument(items: Mapping[str, Sequence[int]], scale: str, **extra: str) -> Instrument:
    return parse(definition(items, scale, **extra))


def numbered(count: int, values: Sequence[int]) -> dict[str, Sequence[int]]:
    return {str(number): values for number in range(1, count + 1)}


def keys(items: Mapping[str, Sequence[int]]) -> str:
    return str(list(items)).replace("'", '"')
