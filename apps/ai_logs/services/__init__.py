"""Writes of the AI log, by noun."""
