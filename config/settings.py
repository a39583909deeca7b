"""One settings file; what differs between machines comes from the environment (`.env.example`)."""

import re
import sys
from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from config.env import env_bool, env_database, env_int, env_keys, env_list, env_str
from config.log_settings import *  # noqa: F403
from config.queue_settings import *  # noqa: F403
from config.queue_settings import REDIS_URL

BASE_DIR = Path(__file__).resolve().parent.parent

# `score` and `dry_run` are calculators: they run on a machine where nothing is set up.
CALCULATOR = len(sys.argv) > 1 and sys.argv[1] in ("score", "dry_run")
_INSECURE = "dev-only-not-a-secret-dev-only-not-a-secret-dev-only"
_INSECURE_KEY = "dev:" + "0" * 64

DEBUG = env_bool("DEBUG", False)
_RELAXED = DEBUG or CALCULATOR

SECRET_KEY = env_str("SECRET_KEY", _INSECURE if _RELAXED else None)
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
FIELD_KEYS = env_keys("FIELD_KEYS", _INSECURE_KEY if _RELAXED else None)
LINK_KEYS = env_keys("LINK_KEYS", _INSECURE_KEY if _RELAXED else None)
INDEX_KEY = env_keys("INDEX_KEY", _INSECURE_KEY if _RELAXED else None)

SITE_ROOT = env_str("SITE_ROOT", "http://localhost:8000").rstrip("/")
SECURE = SITE_ROOT.startswith("https://")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SITE_ROOT]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "anymail",
    "csp",
    "django_htmx",
    "clinic",
    "surveys",
    "reminders",
    "dashboards",
]

MIDDLEWARE = [
    "config.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "config.middleware.security_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic.middleware.session_limits",
    "clinic.middleware.membership",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.context.staff",
                "dashboards.views.badges.mail",
                "dashboards.views.badges.left_waiting",
            ],
        },
    },
]

FORM_RENDERER = "clinic.forms.Renderer"

# -- Database ---------------------------------------------------------------------------------

_SQLITE_OPTIONS = {
    # Without IMMEDIATE a write that begins as a read fails at once with "locked".
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: "never twice" rests on a commit that a power cut does not take back.
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
    "PRAGMA journal_size_limit=67108864;",
}
_POSTGRESQL_OPTIONS = {
    "options": "-c statement_timeout=10000 -c idle_in_transaction_session_timeout=30000",
    # A server that is gone is noticed in seconds: neither a page nor a health check hangs on it.
    "connect_timeout": 5,
    "tcp_user_timeout": 10000,
}

DATABASES = {
    "default": environ.Env.db_url_config(
        env_database("DATABASE_URL", f"sqlite:///{BASE_DIR / 'var' / 'afterglow.sqlite3'}")
    )
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {**_SQLITE_OPTIONS, **_database.get("OPTIONS", {})}
else:
    _database["OPTIONS"] = {**_POSTGRESQL_OPTIONS, **_database.get("OPTIONS", {})}
    _database["CONN_MAX_AGE"] = env_int("CONN_MAX_AGE", 60)
    _database["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Redis: wake-ups and counters, nothing that matters ---------------------------------------

CACHES = {
    "default": {
        "BACKEND": "config.counters.Counters",
        "LOCATION": env_str("CACHE_URL", REDIS_URL.replace("redis+socket://", "unix://")),
        "KEY_PREFIX": "afterglow",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},  # no page hangs on Redis
    }
}

# -- E-mail -----------------------------------------------------------------------------------

EMAIL_BACKEND = env_str("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env_str("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 20
MAIL_FROM = env_str("MAIL_FROM", "updates@localhost")  # address only; the name is the clinic's
DEFAULT_FROM_EMAIL = MAIL_FROM
# hold | redirect:ADDRESS | send. A copy or a half-set-up server never writes to patients.
MAIL_MODE = env_str("MAIL_MODE", "hold")
if MAIL_MODE not in ("hold", "send") and not re.fullmatch(r"redirect:[^@\s]+@[^@\s]+", MAIL_MODE):
    raise ImproperlyConfigured("MAIL_MODE: use hold, send or redirect:ADDRESS")
# A mailbox of the operators that gets one e-mail a day, by which they see that mail leaves here.
HEARTBEAT_TO = env_str("HEARTBEAT_TO", "")
if HEARTBEAT_TO and not re.fullmatch(r"[^@\s]+@[^@\s]+", HEARTBEAT_TO):
    raise ImproperlyConfigured("HEARTBEAT_TO: use an e-mail address, or leave it empty")
# How many messages one drain may be handing over at the same time, each on its own connection.
MAIL_CONNECTIONS = env_int("MAIL_CONNECTIONS", 16)
# After this a worker that took a message is given up. Far above one call (25 s at most).
LEASE_SECONDS = env_int("LEASE_SECONDS", 300)
# Any provider: ANYMAIL_<SETTING> in the environment, as Anymail's documentation names them.
ANYMAIL = {
    "REQUESTS_TIMEOUT": (5, 20),
    "WEBHOOK_SECRET": env_list("ANYMAIL_WEBHOOK_SECRET") or None,
    **environ.Env().json("ANYMAIL_SETTINGS", default={}),
}
if isinstance(ANYMAIL["REQUESTS_TIMEOUT"], list):  # JSON has no pairs, requests takes nothing else
    ANYMAIL["REQUESTS_TIMEOUT"] = tuple(ANYMAIL["REQUESTS_TIMEOUT"])
# Amazon SES reports through these topics; a message of any other is refused.
SNS_TOPICS = env_list("SNS_TOPICS")
if any(
    not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+", arn) for arn in SNS_TOPICS
):
    raise ImproperlyConfigured("SNS_TOPICS: use arn:aws:sns:REGION:ACCOUNT:NAME, comma-separated")

# -- Accounts ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "clinic.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "clinic.forms.SignInForm",
    "change_password": "clinic.forms.ChangePassword",
    "reset_password": "clinic.forms.AskForReset",
    "reset_password_from_key": "clinic.forms.NewPassword",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of a changed password
# Counted in the shared cache. Never a lasting lock: somebody else could lock a clinician out.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,10/15m/key",
    "reset_password": "20/m/ip,5/15m/key",
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboards:patients"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},  # the password is the only factor for now
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = int(timedelta(minutes=30).total_seconds())

SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_NAME = "__Host-staff" if SECURE else "staff"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # Strict would sign staff out when they follow a notice's link
CSRF_FAILURE_VIEW = "surveys.views.csrf_failure"

# -- Browser security -------------------------------------------------------------------------

SECURE_SSL_REDIRECT = SECURE
# Monitors ask the web server itself, behind the proxy that speaks TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env_bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # rate limits count the client's address, not the proxy's

_SELF = "'self'"
_NONE = "'none'"
# Plotly inserts one empty <style>; the hash of the empty string lets it in, nothing else.
PLOTLY_STYLE_HASH = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [_NONE],
        "script-src": [_SELF],
        "style-src": [_SELF],
        "img-src": [_SELF],
        "font-src": [_SELF],
        "connect-src": [_SELF],
        "form-action": [_SELF],
        "base-uri": [_NONE],
        "object-src": [_NONE],
        "frame-ancestors": [_NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: [] for feature in ("camera", "geolocation", "microphone", "payment", "usb")
}

# -- Language, time, static files -------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "dashboards.finders.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": env_str(
            "STATICFILES_STORAGE",
            "whitenoise.storage.CompressedManifestStaticFilesStorage",
        )
    },
}
WHITENOISE_USE_FINDERS = env_bool("STATIC_FROM_FINDERS", DEBUG)
WHITENOISE_MAX_AGE = 3600

# Prometheus sends it as a bearer token; without it there is no /metrics.
METRICS_TOKEN = env_str("METRICS_TOKEN", "")
