"""Reads about issuers, decisions, awards and their verification."""
