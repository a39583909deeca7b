"""An e-mail's HTML as a frame of ours may show it: the same to look at, and no way out of it.

Our content policy lets no style attribute in, and a mail has little else. So each becomes a rule
of a style element, and the policy of the frame names the hash of that element.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from html import unescape

LOOKS = ("light", "dark", "plain")
NOTE = "opens-nothing"

_STYLED = re.compile(r'(<[a-z][^<>]*?) style="([^"]*)"')
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_DARK = "(prefers-color-scheme: dark)"
_NOTE_RULES = (
    f"#{NOTE} {{ position: fixed; inset: auto 0 0 0; margin: 0; padding: 12px 24px;"
    " background: Canvas; color: CanvasText; border-top: 1px solid; font: 16px/1.5 sans-serif; }"
    f" #{NOTE}:not(:target) {{ display: none; }}"
)


@dataclass(frozen=True, slots=True)
class Framed:
    html: str
    style_hashes: tuple[str, ...]


def framed(html: str, look: str, note: str) -> Framed:
    """`look` is one of LOOKS; `note` is read by whoever presses a link."""
    shown = _stripped(html) if look == "plain" else _ruled(_lit(html, look))
    shown = re.sub(r'(<a [^<>]*?)href="[^"]*"', rf'\1href="#{NOTE}"', shown)
    shown = shown.replace("</head>", f"<style>{_NOTE_RULES}</style></head>", 1)
    shown = shown.replace("</body>", f'<p id="{NOTE}" role="status">{note}</p></body>', 1)
    return Framed(shown, tuple(_hash(rules) for rules in _STYLE.findall(shown)))


def _stripped(html: str) -> str:
    """As a mail program shows it that keeps no style at all."""
    return _STYLED.sub(r"\1", _STYLE.sub("", html))


def _lit(html: str, look: str) -> str:
    """In one scheme, whatever the reader's own screen is set to."""
    return html.replace(_DARK, "all" if look == "dark" else "not all").replace("light dark", look)


def _ruled(html: str) -> str:
    """Rules come before those of the mail itself, which are all marked as important."""
    styles = list(dict.fromkeys(style for _, style in _STYLED.findall(html)))
    rules = "\n".join(f'[data-style="{n}"] {{ {unescape(s)} }}' for n, s in enumerate(styles))
    numbered = _STYLED.sub(lambda tag: f'{tag[1]} data-style="{styles.index(tag[2])}"', html)
    return numbered.replace("<head>", f"<head><style>{rules}</style>", 1)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
