"""From committed events to watchers: who orders them, who follows them, who is told."""
