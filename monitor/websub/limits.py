"""What bounds everything that strangers can send us."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections: how many, and how long one may live whatever it sends. Bodies: of one push. Pushes: that wait.

    One feed may push ``pushes_of_one`` times at once, then every ``push_seconds``, and take half of the room for bytes:
    a hub that pushes without end must leave room, and time for what it brings, to the others.
    ``round_seconds`` is the time between two looks at what to subscribe.
    """

    connections: int = 100
    connection_seconds: float = 20.0
    body_bytes: int = 5_000_000
    body_seconds: float = 10.0
    bodies_at_once: int = 4
    pushes: int = 200
    pushed_bytes: int = 20_000_000
    pushes_of_one: int = 100
    push_seconds: float = 10.0
    bytes_of_one: int = 10_000_000
    round_seconds: float = 60.0
