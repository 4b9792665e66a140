"""How the shipped model was made, re-runnable: needs the extra ``train``; docs/model.md tells the story."""
