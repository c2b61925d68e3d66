"""Who reacts to what: the only place where an event in one app starts work in another."""

from __future__ import annotations

import apps.cohorts.selectors
import apps.cohorts.tasks
import apps.contacts.ports
from apps.core.outbox import Handler

OUTBOX_HANDLERS: dict[str, Handler] = {
    "cohorts.notify_promoted": apps.cohorts.tasks.notify_promoted,
}

apps.contacts.ports.staffed_cohort_ids.bind(apps.cohorts.selectors.staffed_cohort_ids)
