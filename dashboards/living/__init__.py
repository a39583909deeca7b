"""Let invented patients live: production's own functions, called with the `now` of other days."""

from dashboards.living.stage import Team, history, prove_responder
from dashboards.living.story import live

__all__ = ["Team", "history", "live", "prove_responder"]
