from django.urls import path

from dashboards.views import (
    alerts,
    courses,
    enrolment,
    infusions,
    logbook,
    patient,
    patients,
    settings,
    status,
)

app_name = "dashboards"
urlpatterns = [
    path("", patients.patients, name="patients"),
    path("patients/enrol/", enrolment.enrol, name="enrol"),
    path("patients/<uuid:patient_id>/", patient.patient, name="patient"),
    path("patients/<uuid:patient_id>/contact/", enrolment.contact, name="contact"),
    path("patients/<uuid:patient_id>/pause/", status.pause, name="pause"),
    path("patients/<uuid:patient_id>/resume/", status.resume, name="resume"),
    path("patients/<uuid:patient_id>/withdraw/", status.withdraw, name="withdraw"),
    path("patients/<uuid:patient_id>/deceased/", status.deceased, name="deceased"),
    path("patients/<uuid:patient_id>/reinstate/", status.reinstate, name="reinstate"),
    path("patients/<uuid:patient_id>/course/", courses.open_course, name="open-course"),
    path("courses/<uuid:course_id>/close/", courses.close, name="close-course"),
    path("courses/<uuid:course_id>/infusion/", logbook.log_infusion, name="log-infusion"),
    path(
        "courses/<uuid:course_id>/infusion/preview/",
        logbook.preview_infusion,
        name="preview-infusion",
    ),
    path("courses/<uuid:course_id>/plan/", infusions.plan_infusion, name="plan-infusion"),
    path("infusions/<uuid:infusion_id>/", infusions.infusion, name="infusion"),
    path("infusions/<uuid:infusion_id>/cancel/", infusions.cancel_infusion, name="cancel-infusion"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<uuid:alert_id>/", alerts.alert, name="alert"),
    path("alerts/<uuid:alert_id>/take/", alerts.take, name="take-alert"),
    path("alerts/<uuid:alert_id>/close/", alerts.close, name="close-alert"),
    path("clinic/", settings.settings, name="settings"),
    path("clinic/test-alert/", settings.test_alert, name="test-alert"),
    path("clinic/text/", settings.switch_text, name="switch-text"),
    path("clinic/invite/", settings.invite, name="invite"),
    path("clinic/people/<uuid:member_id>/invite/", settings.invite_again, name="invite-again"),
    path("clinic/people/<uuid:member_id>/responder/", settings.responder, name="responder"),
]
