"""Credentials under /v1."""
