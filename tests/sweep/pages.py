"""Every page there is, for `./dev sweep`. A new page gets its line in a walk here."""

from django.utils import timezone

from clinic import enrolment
from devtools.shot import sign_in
from devtools.sweep.tour import Tour, Walk
from surveys.models import Alert
from tests.sweep import letters, people

BOTH = ("en", "es")


def accounts(tour: Tour) -> None:
    tour.visit("sign-in", "/accounts/login/")
    tour.page.fill("input[name=login]", "nobody@clinic.example")
    tour.page.fill("input[name=password]", "not the password")
    tour.press("main button")
    tour.look("sign-in-refused")
    tour.visit("password-reset", "/accounts/password/reset/")
    tour.visit("password-reset-sent", "/accounts/password/reset/sent/")
    tour.visit("password-reset-key", "/accounts/password/reset/key/1-wrong/")
    tour.visit("password-reset-done", "/accounts/password/reset/done/")
    tour.visit("invitation", people.invitation().removeprefix(tour.site))
    tour.visit("invitation-over", "/accounts/invitation/x/y/", status=410)
    tour.visit("signup-closed", "/accounts/signup/")
    tour.visit("missing", "/no-such-page/", status=404)


def check_in(tour: Tour) -> None:
    """Everything a patient may meet on the way, a red flag and a worrying answer among it."""
    link = people.link(people.open_follow_up(tour.screen.language))
    tour.visit("landing", link)
    tour.visit("landing-help", f"{link}help/")
    tour.visit("landing", link)
    tour.press("form button.main")
    seen: set[str] = set()
    while "/check-in/review/" not in tour.page.url:
        _answer(tour, seen)
    tour.look("review")
    tour.press("main form button.main")
    tour.look("sent")
    tour.visit("received", link)


def _answer(tour: Tour, seen: set[str]) -> None:
    page = tour.page
    if "/help/" in page.url or "/emergency/" in page.url:
        _crisis(tour)
        return
    name = page.input_value("input[name=question]").replace("/", "-")
    if name not in seen and (not name.startswith("phq9") or name in ("phq9-1", "phq9-9")):
        tour.look(f"question-{name}")
    if not seen:
        tour.press("#answers button.main")
        tour.look("question-unanswered")
    seen.add(name)
    chosen = page.locator("input[name=answer]").nth(1 if name == "phq9-9" else 0)
    chosen.evaluate("(input) => { input.checked = true; }")
    tour.press("#answers button.main")


def _crisis(tour: Tour) -> None:
    if "/emergency/" in tour.page.url:
        tour.look("emergency")
    else:
        tour.look("help")
        tour.page.locator("input[name=safe]").last.evaluate("(input) => { input.checked = true; }")
        tour.press("form button.second")
        tour.look("help-numbers")
        tour.visit("help-noted", "/check-in/help/noted/")
    tour.page.goto(f"{tour.site}/check-in/")


def own_trend(tour: Tour) -> None:
    """The thanks page that offers it, the birth date with its slips, the trend, and five wrong."""
    follow_up = people.follow_up_after_a_start(tour.screen.language)
    tour.visit("landing-before-a-trend", people.link(follow_up))
    tour.press("form button.main")
    people.answer_as_before(follow_up)
    tour.page.goto(f"{tour.site}/check-in/review/")
    tour.press("main form button.main")
    tour.look("sent-with-a-trend")
    tour.visit("birth-date", "/check-in/trend/")
    tour.press("main form button.main")
    tour.look("birth-date-empty")
    born = follow_up.patient.birth_date
    _type_date(tour, born.day, born.month, born.year - 1)
    tour.look("birth-date-wrong")
    _type_date(tour, born.day, born.month, born.year)
    tour.look("own-trend")
    tour.page.goto(f"{tour.site}/check-in/trend/")
    while tour.page.locator("#birth").count():
        _type_date(tour, born.day, born.month, born.year + 1)
    tour.look("own-trend-locked")


def _type_date(tour: Tour, day: int, month: int, year: int) -> None:
    for name, number in (("day", day), ("month", month), ("year", year)):
        tour.page.fill(f"#{name}", str(number))
    tour.press("main form button.main")


def other_doors(tour: Tour) -> None:
    """Links that are late, unknown, answered already; no pass."""
    language = tour.screen.language
    tour.visit("landing-late", people.link(people.late_follow_up(language)))
    tour.visit("closed", f"/s/{'x' * 43}/?lang={language}", status=410)
    tour.press("main form button")
    tour.look("link-not-wished-for")
    tour.page.check("#wanted-0", force=True)
    tour.press("main form button")
    tour.look("link-asked")
    tour.visit("received", people.link(people.answered_follow_up(language)))
    tour.page.context.clear_cookies()
    tour.visit("lost", f"/check-in/1/?lang={language}", status=410)
    tour.visit("landing-plain", people.link(people.open_follow_up(language, ("mood",))))
    tour.page.context.clear_cookies()
    tour.press("form button.main")
    tour.look("start-again")
    tour.visit("unsubscribe-unknown", f"/u/{'x' * 43}/?lang={language}", status=404)


def preferences(tour: Tour) -> None:
    """A patient's own page, and what it says after each choice."""
    follow_up = people.reachable(tour.screen.language)
    link = people.unsubscribe_link(follow_up)
    tour.visit("preferences", link)
    tour.press("form button.main")
    tour.look("preferences-same")
    _choose(tour, link, "pause")
    tour.look("preferences-paused")
    tour.visit("preferences-while-paused", link)
    _choose(tour, link, "off")
    tour.look("preferences-stopped")
    tour.visit("preferences-while-stopped", link)
    _choose(tour, link, "on", hour="13")
    tour.look("preferences-continued")
    tour.visit("preferences-help", f"{link}help/")
    tour.press("form button.main")
    tour.look("preferences-help-told")
    enrolment.pause(follow_up.patient, by=people.BY_TEST, now=timezone.now())
    tour.visit("preferences-paused-by-clinic", link)
    enrolment.withdraw(follow_up.patient, by=people.BY_TEST, now=timezone.now())
    tour.visit("preferences-withdrawn", link)


def _choose(tour: Tour, link: str, mail: str, hour: str = "") -> None:
    tour.page.goto(tour.site + link)
    tour.page.check(f"input[name=mail][value={mail}]")
    if hour:
        tour.page.select_option("select", hour)
    tour.press("form button.main")


def not_in_spanish(tour: Tour) -> None:
    tour.visit("untranslated", people.link(people.open_follow_up("es", ("peg",))))


def mails(tour: Tour) -> None:
    for name, html in letters.written(tour.screen.language):
        tour.show(f"mail-{name}", html)


def lists(tour: Tour) -> None:
    _sign_in(tour, tour.seed["responder"])
    tour.visit("patients", "/")
    tour.visit("patients-found", "/?q=zzz")
    tour.visit("alerts", "/alerts/")
    alert = Alert.objects.open().exclude(patient=None).order_by("raised_at")[0]
    tour.visit("alert", f"/alerts/{alert.pk}/")
    tour.visit("patient-alerting", f"/patients/{alert.patient_id}/")
    _cases(tour)
    left = people.alert_left_waiting()
    tour.visit("alerts-left-waiting", "/alerts/")
    people.cared_for(left)
    withdrawn, deceased = people.course("en").patient, people.course("en").patient
    now = timezone.now()
    enrolment.withdraw(withdrawn, by=people.BY_TEST, now=now)
    enrolment.mark_deceased(deceased, by=people.BY_TEST, now=now)
    tour.visit("patient-withdrawn", f"/patients/{withdrawn.pk}/")
    tour.visit("patient-deceased", f"/patients/{deceased.pk}/")
    tour.visit("password-change", "/accounts/password/change/")
    tour.visit("sign-out", "/accounts/logout/")


def _cases(tour: Tour) -> None:
    """One alert in each state, and its forms sent half filled."""
    found = people.alerts_in_each_state()
    for state, alert in found.items():
        tour.visit(f"alert-{state}", f"/alerts/{alert.pk}/")
    tour.visit("alert-taken", f"/alerts/{found['taken'].pk}/")
    tour.press("form[action$='/contact/'] button")
    tour.look("alert-contact-refused")
    tour.page.click("summary:has-text('Close it')")
    tour.page.fill("#close_note", "She will come in tomorrow.")
    tour.press("form[action$='/close/'] button")
    tour.look("alert-close-refused")
    tour.page.click("summary:has-text('Hand it over')")
    tour.look("alert-hand-over")


def patients(tour: Tour) -> None:
    """One patient of each protocol, one without a single answer, and all that is done to them."""
    _sign_in(tour, tour.seed["responder"])
    for protocol, patient in people.one_of_each_protocol().items():
        tour.visit(f"patient-{protocol}", f"/patients/{patient.pk}/")
    new = people.course(tour.screen.language)
    tour.visit("patient-new", f"/patients/{new.patient_id}/")
    people.lock_birth_date(new.patient)
    tour.visit("patient-own-trend-closed", f"/patients/{new.patient_id}/")


def telephone(tour: Tour) -> None:
    """A patient on the telephone, in their own language, with a red flag and a worrying answer."""
    _sign_in(tour, tour.seed["responder"])
    follow_up = people.open_follow_up(tour.screen.language)
    tour.visit("patient-to-call", f"/patients/{follow_up.patient_id}/")
    tour.press("a[href$='/telephone/']")
    seen: set[str] = set()
    while "/check/" not in tour.page.url:
        if "/help/" in tour.page.url:
            tour.look(f"telephone-help-{len(seen)}")
            tour.press("a[href*='/telephone/?']")
            continue
        name = tour.page.input_value("input[name=question]").replace("/", "-")
        if name.startswith("checkin") or name in ("mood-1", "nrs24-worst", "phq9-1", "phq9-9"):
            tour.look(f"telephone-{name}")
        if not seen:
            tour.press("#answers button.button")
            tour.look("telephone-unanswered")
        seen.add(name)
        chosen = tour.page.locator("input[name=answer]").nth(1 if name == "phq9-9" else 0)
        chosen.evaluate("(input) => { input.checked = true; }")
        tour.press("#answers button.button")
    tour.look("telephone-check")
    tour.press("main form button.button")
    tour.look("patient-called")
    spanish = people.open_follow_up("en", ("peg",))
    tour.visit("telephone-untranslated", f"/follow-ups/{spanish.pk}/telephone/?language=es")


def forms(tour: Tour) -> None:
    _sign_in(tour, tour.seed["email"])
    tour.visit("enrol", "/patients/enrol/")
    tour.press("main form button[value=enrol]")
    tour.look("enrol-refused")
    course = people.course(tour.screen.language)
    patient = f"/patients/{course.patient_id}/"
    tour.visit("contact", f"{patient}contact/")
    tour.visit("open-course", f"{patient}course/")
    tour.visit("withdraw", f"{patient}withdraw/")
    tour.visit("deceased", f"{patient}deceased/")
    tour.visit("close-course", f"/courses/{course.pk}/close/")
    tour.visit("plan-infusion", f"/courses/{course.pk}/plan/")
    tour.visit("log-infusion", f"/courses/{course.pk}/infusion/")
    tour.press("main form button.button")
    tour.look("infusion-logged")
    tour.visit("infusion", f"/infusions/{course.infusions.get().pk}/")


def the_clinic(tour: Tour) -> None:
    _sign_in(tour, tour.seed["email"])
    tour.visit("settings", "/clinic/")
    tour.page.click("summary:has-text('Invite somebody')")
    tour.page.fill("input[name=invite-email]", tour.seed["responder"])
    tour.press("form[action$='/invite/'] button.button")
    tour.look("settings-invite-refused")
    tour.page.fill("input[name=invite-email]", people.new_address())
    tour.press("form[action$='/invite/'] button.button")
    tour.look("settings-invited")
    tour.visit("choose-clinic", "/accounts/clinic/")


def mail(tour: Tour) -> None:
    """First as it mostly is, then with everything that can go wrong."""
    _sign_in(tour, tour.seed["email"])
    tour.visit("mail-quiet", "/mail/")
    tour.visit("check-ins", "/check-ins/")
    unclear, dead = people.unclear_message(), people.troubled_addresses()
    tour.visit("mail", "/mail/")
    tour.visit("mail-preview", f"/mail/preview/?look={tour.screen.theme}")
    tour.visit("mail-preview-plain", "/mail/preview/?mail=reminder-2&language=es&look=plain")
    tour.visit("mail-preview-notice", f"/mail/preview/?mail=notice&look={tour.screen.theme}")
    tour.visit("message-unclear", f"/messages/{unclear.pk}/")
    tour.visit("send-again", f"/messages/{unclear.pk}/again/")
    tour.visit("message", f"/messages/{people.delivered_message().pk}/")
    tour.visit("write-again", f"/patients/{dead.pk}/e-mail/")


def not_allowed(tour: Tour) -> None:
    _sign_in(tour, people.viewer())
    tour.visit("patients-of-a-viewer", "/")
    tour.visit("forbidden", "/patients/enrol/", status=403)


def _sign_in(tour: Tour, email: str) -> None:
    sign_in(tour.page, tour.site, email, tour.seed["password"])


# Staff first: the patients whom the other walks invent would fill their lists.
WALKS = (
    Walk("lists", lists),
    Walk("patients", patients),
    Walk("telephone", telephone),
    Walk("forms", forms),
    Walk("clinic", the_clinic),
    Walk("not-allowed", not_allowed),
    Walk("mail", mail),
    Walk("accounts", accounts),
    Walk("mails", mails, BOTH),
    Walk("check-in", check_in, BOTH),
    Walk("own-trend", own_trend, BOTH),
    Walk("doors", other_doors, BOTH),
    Walk("preferences", preferences, BOTH),
    Walk("not-in-spanish", not_in_spanish, ("es",)),
)
