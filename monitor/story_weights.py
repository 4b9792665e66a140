"""What each kind of evidence weighs when two items may tell one event: see monitor.likeness.

Natural logits. Written by ``python -m monitor.training.story_pairs``; not to be edited.
"""

READ = (
    -10.441,  # bias
    13.254,  # cosine
    4.507,  # rare words
    4.474,  # unseen words
    4.932,  # brevity
    5.034,  # amounts
    -1.962,  # contradictions
    -1.722,  # days
    -4.573,  # same feed
)
UNREAD = (
    -6.905,  # bias
    12.792,  # rare words
    -1.450,  # unseen words
    5.106,  # brevity
    6.250,  # amounts
    -0.843,  # contradictions
    -1.690,  # days
    -3.174,  # same feed
)
