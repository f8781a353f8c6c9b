"""What the daemon answers over HTTP: its health, gateways that call, customers who want no more messages."""
