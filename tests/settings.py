"""Settings of the test run: the same file as production, with an environment of its own."""

import os

_defaults = {
    "SECRET_KEY": "test-only-secret-key-of-more-than-fifty-characters-for-tests",
    "FIELD_KEYS": "t1:" + "11" * 32,
    "LINK_KEYS": "t1:" + "22" * 32,
    "INDEX_KEY": "t1:" + "33" * 32,
    "MAIL_MODE": "send",
    "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
    "STATIC_FROM_FINDERS": "True",
    "LOG_FORMAT": "text",
}
for _name, _value in _defaults.items():
    os.environ.setdefault(_name, _value)

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, not memory: write-ahead log, locks and worker processes are part of what is tested.
    # Named by process and not by chance: parallel workers end without tidying up after themselves.
    _folder = BASE_DIR / "var" / "tests"  # noqa: F405
    _folder.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / f"{os.getpid()}.sqlite3")}  # noqa: F405
    _options = DATABASES["default"]["OPTIONS"]  # noqa: F405
    _options["init_command"] = _options["init_command"].replace("=FULL", "=NORMAL")
