"""A page and a task that fail with everything in their text that must never reach a log."""

from celery import shared_task
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.urls import path

NAME = "Ana Lucía Peña"
ANSWER = "I think about it every day"
TOKEN = "Zk3v-Qx7LwT0bYpR2mNcH8dJfG5sUaEi9oVrKyXt1Bq"
SAID = f"{NAME} <ana@example.com> of 9=2 at /s/{TOKEN}/ +14325550100 {ANSWER!r}"
PIECES = ("Ana", "Peña", "Pe\\u00f1a", "ana@", "example.com", "9=2", TOKEN, "432555", "every day")


class Refused(Exception):
    """Like a provider's library, which quotes the recipient."""


def fail() -> None:
    try:
        raise IntegrityError(f"Failing row contains ({SAID})")
    except IntegrityError as error:
        raise Refused(SAID) from error


@shared_task(ignore_result=True)
def failing_task() -> None:
    fail()


@login_not_required
def failing_page(request: HttpRequest, rest: str) -> HttpResponse:
    fail()
    return HttpResponse()


urlpatterns = [path("s/<path:rest>", failing_page)]
