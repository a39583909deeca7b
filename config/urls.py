"""Every address of the service, in one place."""

from django.urls import include, path

from reminders import webhooks
from reminders.health import views as health

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.numbers, name="metrics"),
    path("accounts/", include("clinic.urls")),
    path("accounts/", include("clinic.account_urls")),
    path("anymail/", include((webhooks.URLS, "anymail"))),
    path("", include("surveys.urls")),
    path("", include("reminders.urls")),
    path("", include("dashboards.urls")),
]

handler500 = "surveys.views.server_error"
