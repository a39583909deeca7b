"""What was asked, as it was when it was answered."""

from decimal import Decimal
from functools import cache
from uuid import UUID

from clinic.models import Definition
from surveys import instruments
from surveys.instruments import Instrument, Scale


@cache
def _recorded(definition_id: UUID) -> Instrument:
    return instruments.parse(Definition.objects.get(pk=definition_id).text)


def instrument_of(definition: Definition) -> Instrument:
    """What was asked, in the version that was answered. Definitions never change."""
    if definition.clinic_id is None:
        return instruments.get(definition.key, definition.version)
    return _recorded(definition.pk)


def printed(value: Decimal, scale: Scale) -> Decimal:
    """With the decimals its scale is printed in: 9, but 4.0."""
    return value.quantize(Decimal(1).scaleb(-scale.decimals))
