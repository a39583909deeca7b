"""How long ago, in one unit: an age is read at a glance. And how long something took."""

from datetime import datetime

from django import template
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def age(since: datetime, now: datetime) -> str:
    return timesince(since, now, depth=1)


@register.filter
def late(due: datetime, now: datetime) -> str:
    """How long it is overdue, in one unit; nothing while it is not."""
    return timesince(due, now, depth=1) if due <= now else ""


@register.filter
def duration(seconds: float) -> str:
    """A short one, to the second."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return _("%(seconds)d s") % {"seconds": rest}
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
