"""Every address of the service, in one place."""

from anymail.urls import urlpatterns as anymail_urls
from django.urls import include, path

from reminders.health import views as health

# What a provider says became of a mail. Mail to us is not received.
tracking = [url for url in anymail_urls if str(url.name).endswith("_tracking_webhook")]

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.numbers, name="metrics"),
    path("accounts/", include("clinic.urls")),
    path("accounts/", include("clinic.account_urls")),
    path("anymail/", include((tracking, "anymail"))),
    path("", include("surveys.urls")),
    path("", include("reminders.urls")),
    path("", include("dashboards.urls")),
]
