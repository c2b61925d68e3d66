"""Readers of other systems' question files: bytes in, neutral items and a report out."""
