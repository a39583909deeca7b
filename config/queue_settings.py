"""How Celery carries wake-ups. Part of `config.settings`, which imports every name here.

Its messages hold no payload: a lost one costs a tick, never an e-mail.
"""

from datetime import timedelta

from config.env import env_int, env_str

REDIS_URL = env_str("REDIS_URL", "redis://127.0.0.1:6379/0")
TICK_SECONDS = env_int("TICK_SECONDS", 15)

CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    "socket_connect_timeout": 1,  # a page that only hurries a wake-up must not hang on Redis
    "socket_timeout": 30,
    "health_check_interval": 25,
    "retry_on_timeout": True,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 3, "interval_start": 0, "interval_step": 0.2}
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_ETA_TASK_LIMIT = 100
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 45
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Direct queues of their own: a long drain of sends never stands before a tick or an event.
CELERY_TASK_DEFAULT_QUEUE = "send"
CELERY_TASK_QUEUES = {
    name: {"exchange": name, "routing_key": name} for name in ("send", "periodic", "webhook")
}
CELERY_TASK_ROUTES = {
    "reminders.tasks.tick": {"queue": "periodic"},
    "reminders.tasks.drain_events": {"queue": "webhook"},
}
# A tick is a cheap, idempotent query: two beats are harmless, a lost tick costs one interval.
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "reminders.tasks.tick",
        "schedule": timedelta(seconds=TICK_SECONDS),
        "options": {"expires": TICK_SECONDS},
    },
}
