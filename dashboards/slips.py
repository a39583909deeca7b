"""Slips of the finger in e-mail addresses: gmial.com was meant to be gmail.com. Pure."""

from difflib import get_close_matches

COMMON = (
    "gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "msn.com",
    "live.com", "mail.com", "ymail.com", "email.com", "gmx.com", "comcast.net", "att.net",
    "sbcglobal.net", "verizon.net", "suddenlink.net", "yahoo.es", "hotmail.es", "protonmail.com",
    "proton.me", "me.com",
)  # fmt: skip
ENDINGS = {"con": "com", "cmo": "com", "ocm": "com", "vom": "com", "comm": "com", "nte": "net"}
NEARNESS = 0.8  # of 1; below this two domains are simply two domains


def meant(email: str) -> str:
    """The address that was probably meant; empty when this one looks right."""
    name, at, domain = email.strip().rpartition("@")
    domain = domain.lower()
    if not (name and at and domain) or domain in COMMON:
        return ""
    near = get_close_matches(domain, COMMON, n=1, cutoff=NEARNESS)
    if near:
        return f"{name}@{near[0]}"
    host, _, ending = domain.rpartition(".")
    return f"{name}@{host}.{ENDINGS[ending]}" if host and ending in ENDINGS else ""
