"""/v1: assessments, attempts, grading and results."""
