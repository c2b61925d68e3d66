"""Reads of the AI log, by noun."""
