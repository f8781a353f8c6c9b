"""People: who is meant, what they allow, what is held about them, and forgetting them."""
