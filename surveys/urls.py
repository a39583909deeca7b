"""Patients' addresses. Only the landing pages hold the link's secret."""

from django.urls import path

from surveys import views

app_name = "surveys"
urlpatterns = [
    path("s/<str:token>/", views.landing, name="landing"),
    path("s/<str:token>/help/", views.landing_help, name="landing-help"),
    path("s/<str:token>/<path:rest>", views.landing_and_more, name="landing-and-more"),
    path("check-in/", views.onward, name="onward"),
    path("check-in/<int:place>/", views.question, name="question"),
    path("check-in/review/", views.review, name="review"),
    path("check-in/sent/", views.sent, name="sent"),
    path("check-in/trend/", views.trend, name="trend"),
    path("check-in/help/", views.help_now, name="help"),
    path("check-in/help/answer/", views.help_answer, name="help-answer"),
    path("check-in/help/numbers/", views.help_only, name="help-only"),
    path("check-in/help/noted/", views.help_noted, name="help-noted"),
    path("check-in/emergency/", views.emergency, name="emergency"),
]
