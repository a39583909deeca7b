"""Every page there is, for `./dev sweep`. A new page gets its line here.

`facts` makes what the walks need and is called once, in the demo's own database.
"""

from devtools.sweep.tour import Tour, Walk


def facts() -> dict[str, str]:
    return {}


def accounts(tour: Tour) -> None:
    tour.visit("sign-in", "/accounts/login/")
    tour.visit("password-reset", "/accounts/password/reset/")
    tour.visit("missing", "/no-such-page/", status=404)


WALKS = (Walk("accounts", accounts),)
