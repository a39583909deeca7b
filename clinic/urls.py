from django.urls import path

from clinic import views

app_name = "clinic"
urlpatterns = [
    path("invitation/<str:uid>/<str:token>/", views.invitation, name="invitation"),
    path("clinic/", views.choose, name="choose"),
]
