"""What bounds everything that strangers can send us."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections: how many, and how long one may live whatever it sends. Bodies: of one push. Pushes: that wait.

    ``round_seconds`` is the time between two looks at what to subscribe.
    """

    connections: int = 100
    connection_seconds: float = 20.0
    body_bytes: int = 5_000_000
    body_seconds: float = 10.0
    bodies_at_once: int = 4
    pushes: int = 200
    pushed_bytes: int = 20_000_000
    round_seconds: float = 60.0
