"""Durable processes and the rule book they follow: deterministic, no I/O."""
