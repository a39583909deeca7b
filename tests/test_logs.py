"""What reaches the log: never an address, never the secret of a link, not even in a traceback."""

import io
import logging

import pytest

from config.logs import Redact, formatter, redacted


@pytest.mark.parametrize(
    "path",
    [
        "/s/SECRET/",
        "/s/SECRET/help/",
        "/u/SECRET/",
        "/accounts/invitation/SECRET/SECRET/",
        "/accounts/password/reset/key/SECRET-SECRET/",
    ],
)
def test_the_secret_of_a_link_is_cut_out(path):
    assert "SECRET" not in redacted(f"Internal Server Error: {path}")


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_traceback_is_cut_too(style):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(style=style))
    handler.addFilter(Redact())
    logger = logging.Logger("under test")
    logger.addHandler(handler)
    address, path = "ana@example.com", "/s/SECRET/"
    try:
        raise OSError(f"refused: {address} {path}")
    except OSError:
        logger.exception("to %s", address)
    assert "OSError" in written.getvalue()
    assert "ana@" not in written.getvalue()
    assert "SECRET/" not in written.getvalue()
