"""The event log: facts, accepted once by their id."""
