"""Which items tell one event, across outlets, wording and language: docs/stories.md tells how."""
