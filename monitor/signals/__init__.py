"""What an item is about: the text the model sees, the model, and the signals that follow."""
