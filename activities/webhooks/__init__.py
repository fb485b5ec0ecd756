"""Webhooks: events on their way to receivers that agencies name."""
