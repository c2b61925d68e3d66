"""Decisions about orders. Pure: what is told in, what follows out."""
