"""Patients' pages. No account, and no script needed; GET and HEAD change nothing."""

from surveys.views.asking import onward, question, review
from surveys.views.crisis import emergency, help_answer, help_noted, help_now, help_only
from surveys.views.ending import sent
from surveys.views.failing import server_error
from surveys.views.frame import csrf_failure
from surveys.views.landing import landing, landing_and_more, landing_help
from surveys.views.trend import trend

__all__ = [
    "csrf_failure",
    "emergency",
    "help_answer",
    "help_noted",
    "help_now",
    "help_only",
    "landing",
    "landing_and_more",
    "landing_help",
    "onward",
    "question",
    "review",
    "sent",
    "server_error",
    "trend",
]
