"""How a topic's flow is looked at: what came, what was to be expected, and how often chance does the same."""
