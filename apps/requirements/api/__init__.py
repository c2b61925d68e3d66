"""/v1: requirement sets, how learners stand in them, and what was decided on what evidence."""
