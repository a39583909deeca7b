"""Whether the engine does its work: what can be read cheaply, what it means, what to do about it.

For `manage.py doctor`, the health addresses and the metrics. Health is progress, not a process.
"""
