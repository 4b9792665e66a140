"""From a feed's address to the entries that are new: due, fetch, parse, fresh.

``due`` decides when to ask, ``fetch`` asks, ``worker`` has the document parsed in a process of its own (``parse``),
``fresh`` keeps what is not known yet. Everything but ``fetch``, ``connect`` and the worker is pure.
"""
