"""The process of one side: `python -m devtools.bench.side ADDRESS MODULE`."""

import contextlib
import gc
import sys
import traceback
from importlib import import_module
from multiprocessing.connection import Listener
from typing import Any

import django


def main() -> None:
    address, name = sys.argv[1:]
    django.setup()
    orders = import_module(name).ORDERS
    gc.collect()
    gc.freeze()  # as our workers do after their start; the other side has the same advantage
    with Listener(address) as listener, listener.accept() as pipe, contextlib.suppress(EOFError):
        while True:
            order, details = pipe.recv()
            pipe.send(_carry_out(orders[order], details))


def _carry_out(order: Any, details: dict[str, Any]) -> tuple[bool, Any]:
    try:
        return True, order(**details)
    except Exception:
        return False, traceback.format_exc()


if __name__ == "__main__":
    main()
