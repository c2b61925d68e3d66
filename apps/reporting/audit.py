"""The replay of every stored decision of one organisation, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import models

from apps.assessment.models import AssessmentResult
from apps.assessment.replay import Difference, replay_results
from apps.credentials.models import CertificationAward
from apps.credentials.replay import replay_awards
from apps.requirements.models import RequirementEvaluation
from apps.requirements.replay import replay_evaluations


@dataclass(frozen=True)
class Replay:
    """One kind of decision: how many are stored, and how they are decided again."""

    name: str
    decisions: type[models.Model]
    run: Callable[[], Iterator[Difference]]

    def count(self) -> int:
        """Return how many decisions of this kind the organisation in force has stored."""
        return self.decisions._default_manager.count()


REPLAYS = (
    Replay("results", AssessmentResult, replay_results),
    Replay("evaluations", RequirementEvaluation, replay_evaluations),
    Replay("awards", CertificationAward, replay_awards),
)
