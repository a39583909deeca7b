"""django-post_office as its documentation sets it up, for a run beside us. Never in production."""

import os

import environ

SECRET_KEY = os.environ["SECRET_KEY"]
INSTALLED_APPS = ["django.contrib.contenttypes", "post_office"]
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
    {
        "BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": []},
    },
]
DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "post_office.EmailBackend"
EMAIL_HOST, EMAIL_PORT = os.environ["EMAIL_HOST"], int(os.environ["EMAIL_PORT"])
DEFAULT_FROM_EMAIL = os.environ["MAIL_FROM"]
LANGUAGES = [("en", "English"), ("es", "Español")]
USE_TZ = True
# A batch of 500 instead of 100 is to its advantage; everything else is its default: five threads
# that each keep a connection, and a log row for every mail.
POST_OFFICE = {"BATCH_SIZE": 500}
