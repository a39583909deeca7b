"""From the database to rows. One function per number shown; each says how many queries it takes."""

from dashboards.queries.alerts import alert_events, alert_rows, colleagues, left_waiting
from dashboards.queries.answerable import answerable
from dashboards.queries.check_ins import check_ins
from dashboards.queries.coming import Preview, coming, preview_enrolment, preview_infusion
from dashboards.queries.definitions import instrument_of
from dashboards.queries.history import completion, follow_ups, infusions, messages, unknown
from dashboards.queries.items import items
from dashboards.queries.mail import (
    dead_addresses,
    dead_rows,
    moot,
    not_sent,
    not_sent_rows,
    stopped,
    stopped_rows,
    unclear,
    unclear_rows,
    waiting_for_staff,
    ways_out,
)
from dashboards.queries.reaching import unreachable
from dashboards.queries.story import story
from dashboards.queries.trends import Trends, current_course, trends
from dashboards.queries.worklist import maybe_over_now, open_alert_count, worklist

__all__ = [
    "Preview",
    "Trends",
    "alert_events",
    "alert_rows",
    "answerable",
    "check_ins",
    "colleagues",
    "coming",
    "completion",
    "current_course",
    "dead_addresses",
    "dead_rows",
    "follow_ups",
    "infusions",
    "instrument_of",
    "items",
    "left_waiting",
    "maybe_over_now",
    "messages",
    "moot",
    "not_sent",
    "not_sent_rows",
    "open_alert_count",
    "preview_enrolment",
    "preview_infusion",
    "stopped",
    "stopped_rows",
    "story",
    "trends",
    "unclear",
    "unclear_rows",
    "unknown",
    "unreachable",
    "waiting_for_staff",
    "ways_out",
    "worklist",
]
