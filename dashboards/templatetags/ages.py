"""How long ago, in one unit: an age is read at a glance."""

from datetime import datetime

from django import template
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def age(since: datetime, now: datetime) -> str:
    return timesince(since, now, depth=1)
