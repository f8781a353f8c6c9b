"""What people do with tasks: done with its evidence, skipped, assigned, postponed."""
