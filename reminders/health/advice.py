"""What each check means and what to do, in a line each; `docs/operations.md` says it in full."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    means: str
    do: str


ADVICE = {
    "database": Advice(
        "nothing can be planned, sent or answered", "start it, or correct DATABASE_URL"
    ),
    "migrations": Advice("the code expects tables that are not there", "run manage.py migrate"),
    "durability": Advice(
        "a power cut can make the database forget that a mail was sent, and it goes twice",
        "set these on for the service's role in PostgreSQL; SQLite is for small trials",
    ),
    "clock": Advice(
        "pages and engine disagree about what is due", "run a time service on both hosts"
    ),
    "redis": Advice("no wake-ups reach the workers", "start it with noeviction, or run run_engine"),
    "mail_mode": Advice("patients get nothing", "set MAIL_MODE=send when the clinic is ready"),
    "settings": Advice("the server is not safe as it is set up", "run manage.py check --deploy"),
    "responders": Advice(
        "nobody there took a test alert in 90 days, so suicide items are not asked",
        "an administrator sends a test alert on the clinic's page",
    ),
    "tick": Advice(
        "nothing is planned, expired or woken", "start beat and a worker for the queue periodic"
    ),
    "messages": Advice("patients' mail is late", "start more workers for the queue send"),
    "notices": Advice("staff are not told about alerts", "start workers for the queue send"),
    "leases": Advice(
        "what dead workers held is not taken back", "read the worker's log for errors"
    ),
    "unknown": Advice(
        "these were maybe sent, and no report has said so",
        "check the provider's log; a member decides on the patient's page",
    ),
    "lane": Advice(
        "the provider does not take our mail", "read its status page, check its credentials"
    ),
    "planning": Advice("new follow-ups appear late", "read the worker's log for failing plans"),
    "reports": Advice(
        "bounces and complaints are not heeded", "start a worker for the queue webhook"
    ),
    "webhooks": Advice(
        "nobody learns whether mail arrives",
        "check the webhook's address and secret at the provider",
    ),
    "alerts": Advice(
        "an answer needs a person, and a notice did not arrive or nobody has come in 12 hours",
        "telephone that clinic now; then correct its responders' addresses",
    ),
    "heartbeat": Advice(
        "mail to staff may not leave this server", "look at tick and lane; then in the mailbox"
    ),
}
