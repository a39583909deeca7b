"""Settings, URLs and process entry points. Knows everything; nothing imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
