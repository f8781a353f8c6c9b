"""Speed and memory, as ratios against a peer or the raw floor measured in the same run."""
