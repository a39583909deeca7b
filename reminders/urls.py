from django.urls import path

from reminders import views

app_name = "reminders"
urlpatterns = [
    path("u/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
