"""What helps authors of plugins: tasks that close themselves, an invented city to live through, what is wrong."""
