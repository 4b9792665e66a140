"""What an alert looks like: one file a form, over the same words (content.py)."""
