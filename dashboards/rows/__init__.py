"""Plain records between queries and figures, tables and sentences."""

from dashboards.rows.alerts import AlertEventRow, AlertRow, most_pressing
from dashboards.rows.history import Answerable, Asked, Coming, Given, ItemRow, ItemTable, Mail
from dashboards.rows.levels import lost_again, newest, plain, reference_lines
from dashboards.rows.trends import (
    Definitions,
    Gap,
    GapKind,
    Line,
    LineKind,
    Mark,
    Point,
    Series,
    Standing,
    Timeline,
    Trend,
)
from dashboards.rows.worklist import (
    Group,
    LastScore,
    OpenAlert,
    PatientRow,
    grouped,
    maybe_over,
    missed_in_a_row,
)

__all__ = [
    "AlertEventRow",
    "AlertRow",
    "Answerable",
    "Asked",
    "Coming",
    "Definitions",
    "Gap",
    "GapKind",
    "Given",
    "Group",
    "ItemRow",
    "ItemTable",
    "LastScore",
    "Line",
    "LineKind",
    "Mail",
    "Mark",
    "OpenAlert",
    "PatientRow",
    "Point",
    "Series",
    "Standing",
    "Timeline",
    "Trend",
    "grouped",
    "lost_again",
    "maybe_over",
    "missed_in_a_row",
    "most_pressing",
    "newest",
    "plain",
    "reference_lines",
]
