"""The Celery app: transport for work that a row already owes, never its only record."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("assay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=4,
    worker_enable_remote_control=False,  # its queue names are longer than pgmq allows
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    beat_schedule={
        "sweep the outbox": {"task": "core.sweep_outbox", "schedule": 5.0},
        "close expired attempts": {"task": "assessment.close_expired", "schedule": 20.0},
        "record spans without parents": {"task": "ai_logs.flush_pending_spans", "schedule": 60.0},
        "watch AI budgets": {"task": "ai_logs.watch_budgets", "schedule": 600.0},
        "erase by policy": {"task": "ai_logs.apply_retention", "schedule": 3600.0},
        "sweep orphaned objects": {"task": "ai_logs.sweep_objects", "schedule": 6 * 3600.0},
        "refresh identity providers": {"task": "sso.refresh_metadata", "schedule": 3600.0},
        "look for proofs of domains": {"task": "sso.verify_domains", "schedule": 600.0},
        "forget ended sessions": {"task": "organizations.forget_sessions", "schedule": 3600.0},
        "forget used assertions": {"task": "sso.forget_assertions", "schedule": 3600.0},
    },
)
