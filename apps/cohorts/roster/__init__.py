"""Readers of rosters: a CSV table or a OneRoster package in, neutral rows and problems out."""

from apps.cohorts.roster.reader import read_roster

__all__ = ["read_roster"]
