"""What keeps it going: daily ticks, the engine's passes, scopes, and the daemon around them."""
