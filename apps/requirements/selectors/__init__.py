"""Reads about requirements, each in a fixed number of statements for any number of learners."""
