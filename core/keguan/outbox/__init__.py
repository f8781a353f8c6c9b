"""From effects to messages that leave: rendering, the gate, claiming, delivery."""
