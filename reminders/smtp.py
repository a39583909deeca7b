"""One mail over SMTP, its envelope in one packet where the server allows it (RFC 2920).

That halves the waiting for a server that is far away. Raises what smtplib's `sendmail` raises;
after any of it the caller closes the connection, so that nothing half said is left on it.
"""

import smtplib
from collections.abc import Iterator


def hand_over(connection: smtplib.SMTP, sender: str, recipient: str, wire: bytes) -> Iterator[None]:
    """Step by step, stopping before each wait for an answer, so that others may speak meanwhile.

    `sender` and `recipient` are plain ASCII addresses, `wire` has CRLF line ends.
    """
    if not connection.has_extn("pipelining"):
        yield
        connection.sendmail(sender, [recipient], wire)
        return
    body = " BODY=8BITMIME" if connection.has_extn("8bitmime") else ""
    connection.send(f"MAIL FROM:<{sender}>{body}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
    yield
    _heed_envelope(connection, sender, recipient)
    connection.send(_stuffed(wire))
    yield
    code, said = connection.getreply()
    if code != 250:
        raise smtplib.SMTPDataError(code, said)


def _stuffed(wire: bytes) -> bytes:
    """With its end, which nothing inside may look like (RFC 5321, 4.5.2)."""
    first = b"." if wire.startswith(b".") else b""
    end = b".\r\n" if wire.endswith(b"\r\n") else b"\r\n.\r\n"
    return first + wire.replace(b"\n.", b"\n..") + end


def _heed_envelope(connection: smtplib.SMTP, sender: str, recipient: str) -> None:
    (mail, mail_said), (rcpt, rcpt_said), (data, data_said) = [
        connection.getreply() for _ in range(3)
    ]
    if mail != 250:
        raise smtplib.SMTPSenderRefused(mail, mail_said, sender)
    if rcpt not in (250, 251):
        raise smtplib.SMTPRecipientsRefused({recipient: (rcpt, rcpt_said)})
    if data != 354:
        raise smtplib.SMTPDataError(data, data_said)
