"""What contacts needs to know from above: which cohorts somebody staffs."""

import uuid

from apps.core.ports import Port

staffed_cohort_ids: Port[[uuid.UUID], frozenset[uuid.UUID]] = Port("staffed_cohort_ids")
