"""What the migrations leave in the database is what the models say."""

import pytest
from django.apps import apps
from django.db import connection

OURS = [
    model
    for label in ("clinic", "surveys", "reminders")
    for model in apps.get_app_config(label).get_models()
]


@pytest.mark.django_db
@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label_lower)
def test_every_constraint_and_index_of_the_models_is_in_the_database(model):
    with connection.cursor() as cursor:
        present = connection.introspection.get_constraints(cursor, model._meta.db_table)
    wanted = {each.name for each in [*model._meta.constraints, *model._meta.indexes]}
    assert wanted <= set(present)
