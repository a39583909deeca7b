"""The command line of the demo, and what it tells its newcomer."""

import os
import signal
import sys
import textwrap
from types import FrameType
from typing import NoReturn

from devtools.demo.folder import AlreadyRunning, Folder
from devtools.demo.supervisor import Supervisor
from devtools.processes import ROOT, StartFailed, free_port

USUAL_PORT = 8000
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

WELCOME = """
Afterglow runs. Every patient is invented, and no mail leaves this computer.

  Clinic    {site}/
            sign in as  {email}
            password    {password}
  Mailbox   {mailbox}/

Try this:
  1. In the mailbox, wait for the check-in for {due_patient}: it comes within a minute.
  2. Open its link and answer. On the question about thoughts of being better off dead,
     choose anything but "Not at all".
  3. In the clinic, open that patient: the score is on the chart, the alert on the list.
     In the mailbox, the notice to {responder} has arrived.

Ctrl-C stops everything. The data stay in {folder}; ./dev demo --fresh begins again.
Logs are in {folder}/logs.
"""


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--fresh"]):
        print("usage: [PORT=8000] ./dev demo [--fresh]", file=sys.stderr)
        return 2
    for number in ENDINGS:
        signal.signal(number, _as_ctrl_c)
    folder = Folder(ROOT / "var" / "demo")
    try:
        with folder.held():
            if arguments or folder.half_made:
                folder.remove()
            return _run(folder)
    except AlreadyRunning as running:
        print(f"The demo already runs at {running}; stop it there with Ctrl-C.", file=sys.stderr)
        return 1


def _run(folder: Folder) -> int:
    folder.make()
    print("Starting Afterglow's demo", flush=True)
    supervisor = Supervisor(folder, _port())
    try:
        seed = supervisor.start()
        print(_welcome(supervisor, seed), flush=True)
        supervisor.watch()
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
        return 0
    except StartFailed as failure:
        print(f"\n\n{failure}\n\nStopping everything.", file=sys.stderr, flush=True)
        return 1
    finally:
        for number in ENDINGS:  # a second Ctrl-C changes nothing: this ends in seconds
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()


def _welcome(supervisor: Supervisor, seed: dict[str, str]) -> str:
    folder = supervisor.folder.path.relative_to(ROOT)
    places = {"site": supervisor.site, "mailbox": supervisor.mailbox, "folder": folder}
    return textwrap.indent(WELCOME.format(**places, **seed), "  ")


def _port() -> int:
    asked = os.environ.get("PORT", str(USUAL_PORT))
    if not asked.isdecimal() or not 0 < int(asked) < 65536:
        raise StartFailed(f"PORT={asked}: not a port number")
    port = free_port(int(asked))
    if port != int(asked):
        print(f"Port {asked} is taken; using {port}.")
    return port


def _as_ctrl_c(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
