"""What contacts needs to know from above."""

import uuid
from datetime import datetime
from decimal import Decimal

from apps.contacts.principal import Principal
from apps.core.ports import Port

staffed_cohort_ids: Port[[uuid.UUID], frozenset[uuid.UUID]] = Port("staffed_cohort_ids")
"""Given a contact's id: the cohorts that this person staffs."""

ai_cost_this_month: Port[[datetime], Decimal | None] = Port(
    "ai_cost_this_month", default=lambda at: None
)
"""Given a moment: what the AI interactions of its month cost so far, in US dollars."""
"""Which cohorts somebody staffs."""
may_make_tokens: Port[[Principal], bool] = Port("may_make_tokens")
"""Whether somebody may make API tokens where members sign in through a provider only."""
