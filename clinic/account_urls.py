"""The part of allauth that we use. Under its own names, which it looks up itself."""

from allauth.account import views
from django.urls import path, re_path
from django.views.decorators.http import require_http_methods

_page = require_http_methods(["GET", "HEAD", "POST"])  # allauth would take PUT for POST

urlpatterns = [
    path("login/", _page(views.login), name="account_login"),
    path("logout/", _page(views.logout), name="account_logout"),
    path("inactive/", _page(views.account_inactive), name="account_inactive"),
    path("signup/", _page(views.signup), name="account_signup"),  # closed; its name is looked up
    path("reauthenticate/", _page(views.reauthenticate), name="account_reauthenticate"),
    path("password/change/", _page(views.password_change), name="account_change_password"),
    path("password/reset/", _page(views.password_reset), name="account_reset_password"),
    path(
        "password/reset/sent/", _page(views.password_reset_done), name="account_reset_password_done"
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        _page(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/done/",
        _page(views.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
]
