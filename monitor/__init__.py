"""AI market monitor: reads AI-industry news feeds, tags, counts, and alerts. The flow is in monitor/pipeline.py."""
