"""/v1: cohorts, sessions, attendance, enrolments, progress."""
