"""Every address of the service, in one place."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("clinic.urls")),
    path("accounts/", include("clinic.account_urls")),
    path("anymail/", include("anymail.urls")),
    path("", include("surveys.urls")),
    path("", include("reminders.urls")),
    path("", include("dashboards.urls")),
]
