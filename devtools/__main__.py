"""`./dev VERB` after the set-up: one module for each verb."""

import sys

from devtools import check, messages, suite
from devtools.processes import StartFailed

VERBS = {
    "check": check.main,
    "messages": messages.main,
    "test": suite.main,
}


def main() -> int:
    verb, *arguments = sys.argv[1:]
    try:
        return VERBS[verb](arguments)
    except StartFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
