"""`python -m devtools.mailbox FOLDER SMTP_PORT PAGE_PORT`: runs until it is told to stop."""

import signal
import sys
from pathlib import Path

from devtools.mailbox.pages import serve
from devtools.mailbox.store import Store
from devtools.servers.smtp import SmtpServer


def main() -> None:
    folder, smtp_port, page_port = sys.argv[1:]
    store = Store(Path(folder))
    SmtpServer(int(smtp_port), keep=store.keep).start()
    page = serve(store, int(page_port))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    page.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
