"""The one stateful thing: a campaign in a folder."""
