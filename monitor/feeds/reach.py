"""Whether this machine can reach anything at all. Pure."""

from collections.abc import Sequence

from storage.feed_records import Fetched


def offline(fetched: Sequence[Fetched]) -> bool:
    """Tell whether every one of these requests failed without any server answering: the fault is likely ours.

    A request that we refused ourselves (see monitor.feeds.addresses), or spoilt ourselves, says nothing of the network.
    """
    tried = [one for one in fetched if one.trouble not in ("address", "fault")]
    return bool(tried) and all(one.error is not None and one.status is None for one in tried)
