"""Print an environment file for a new server: `.env.example` with keys of this moment.

    python3 deploy/new_env.py followup.clinic.example

Needs nothing but Python. What is left to fill in stands in docs/deploy.md.
"""

import secrets
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent / ".env.example"


def main(host: str) -> None:
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        print(filled(line, host))


def filled(line: str, host: str) -> str:
    name = line.removeprefix("# ").partition("=")[0]
    value = {
        "SECRET_KEY": secrets.token_urlsafe(60),
        "FIELD_KEYS": f"k1:{secrets.token_hex(32)}",
        "LINK_KEYS": f"k1:{secrets.token_hex(32)}",
        "INDEX_KEY": f"k1:{secrets.token_hex(32)}",
        "METRICS_TOKEN": secrets.token_urlsafe(30),
        "SITE_ROOT": f"https://{host}",
        "ALLOWED_HOSTS": f"{host},127.0.0.1",
        "BEHIND_PROXY": "True",
    }.get(name)
    return line if value is None else f"{name}={value}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} HOST")
    main(sys.argv[1])
