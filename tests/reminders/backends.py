"""E-mail backends that look at us while we send."""

from typing import ClassVar

from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection


class Watching(BaseEmailBackend):
    """Notes whether a transaction is open while it is called."""

    open_transactions: ClassVar[list[bool]] = []

    def send_messages(self, email_messages):
        self.open_transactions.append(connection.in_atomic_block)
        return len(email_messages)
