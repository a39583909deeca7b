from django.urls import path

from reminders import views

app_name = "reminders"
urlpatterns = [
    path("check-in/new-link/", views.fresh_link, name="fresh-link"),
    path("u/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/help/", views.help_now, name="help"),
]
