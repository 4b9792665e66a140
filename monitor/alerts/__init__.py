"""Alerts: rules find something, the outbox keeps it, channels tell it."""
