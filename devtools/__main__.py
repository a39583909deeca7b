"""`./dev VERB` after the set-up: one module for each verb."""

import sys
from importlib import import_module

from devtools.processes import StartFailed

# Named, not imported: the demo is installed without what the other verbs need.
VERBS = {
    "bench": "devtools.bench.command",
    "chaos": "devtools.chaos",
    "check": "devtools.check",
    "demo": "devtools.demo",
    "messages": "devtools.messages",
    "sweep": "devtools.sweep",
    "test": "devtools.suite",
}


def main() -> int:
    verb, *arguments = sys.argv[1:]
    try:
        status: int = import_module(VERBS[verb]).main(arguments)
    except StartFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
