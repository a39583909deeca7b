"""How long ago, in one unit: an age is read at a glance."""

from datetime import datetime

from django import template
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def age(since: datetime, now: datetime) -> str:
    return timesince(since, now, depth=1)


@register.filter
def late(due: datetime, now: datetime) -> str:
    """How long it is overdue, in one unit; nothing while it is not."""
    return timesince(due, now, depth=1) if due <= now else ""
