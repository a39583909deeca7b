"""A server with borrowed or weak keys does not pass its check."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from clinic.checks import keys_are_secret_and_apart

RANDOM = bytes(range(32))
OTHER = bytes(range(32, 64))
THIRD = bytes(range(64, 96))
LONG = "qz8vW2pX-7Ls0RkTfYbN4hJcMd1gEaUi9oBtKx3yVw5Hn6Zr_SmP"


@pytest.fixture
def production(settings):
    settings.SECRET_KEY = LONG
    settings.SECRET_KEY_FALLBACKS = []
    settings.FIELD_KEYS = {"k1": RANDOM}
    settings.LINK_KEYS = {"k1": OTHER}
    settings.INDEX_KEY = {"k1": THIRD}
    return settings


def found() -> set[str]:
    return {message.id for message in keys_are_secret_and_apart()}


def test_good_keys_pass(production):
    assert found() == set()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        pytest.param("SECRET_KEY", "dev-only" + LONG, "clinic.E001", id="the development key"),
        pytest.param("SECRET_KEY", LONG[:49], "clinic.E001", id="a short secret"),
        pytest.param("SECRET_KEY", "a" * 60, "clinic.E001", id="a monotonous secret"),
        pytest.param("SECRET_KEY_FALLBACKS", ["short"], "clinic.E001", id="a short old secret"),
        pytest.param("FIELD_KEYS", {"k1": bytes(32)}, "clinic.E002", id="zeros"),
        pytest.param("INDEX_KEY", {"k1": b"\x11" * 32}, "clinic.E002", id="one digit"),
        pytest.param("LINK_KEYS", {"k1": RANDOM}, "clinic.E003", id="one key, two purposes"),
        pytest.param("LINK_KEYS", {"a": OTHER, "b": RANDOM}, "clinic.E003", id="an old key shared"),
    ],
)
def test_bad_keys_do_not(production, name, value, error):
    setattr(production, name, value)
    assert found() == {error}


def test_the_deploy_check_asks(production):
    production.LINK_KEYS = production.FIELD_KEYS
    with pytest.raises(SystemCheckError, match=r"clinic\.E003"):
        call_command("check", deploy=True)
