"""The day of those who do the work: digests, absences, the ladder of overdue tasks, hand-over."""
