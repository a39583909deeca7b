"""The one custom signal. It only hastens a notice; the tick is what guarantees it."""

from django.dispatch import Signal

alert_raised = Signal()  # alert_id; sent after the transaction has committed
