"""Pure decisions about participation, schedules and progress."""
