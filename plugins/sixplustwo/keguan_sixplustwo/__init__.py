"""The 6+2 steps: what a buyer is promised from the deposit to the fourth year in the home."""
