"""What each kind of evidence weighs when two items may tell one event: see monitor.stories.likeness.

Natural logits. Written by ``python -m monitor.training.story_pairs``; not to be edited.
"""

READ = (
    -10.565,  # bias
    13.246,  # cosine
    4.533,  # rare words
    4.473,  # unseen words
    5.323,  # brevity
    5.038,  # amounts
    -1.953,  # contradictions
    -1.721,  # days
    -4.574,  # same feed
)
UNREAD = (
    -7.093,  # bias
    12.836,  # rare words
    -1.466,  # unseen words
    5.676,  # brevity
    6.266,  # amounts
    -0.824,  # contradictions
    -1.688,  # days
    -3.175,  # same feed
)
