"""What a campaign remembers: an append-only log of events, and tables that follow from it."""
