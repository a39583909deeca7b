"""Believable patients from a seeded generator: who they are, how they fare, what they answer.

Pure: the same seed gives the same people and the same answers on any day. `dashboards/living.py`
lets them live through production's own functions.
"""

from dashboards.demo.answers import Sitting
from dashboards.demo.lives import Life, due_life, lives
from dashboards.demo.people import Person

__all__ = ["Life", "Person", "Sitting", "due_life", "lives"]
