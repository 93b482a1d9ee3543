"""Measurements that a campaign's model does not read: what they say by themselves, and as columns for it."""
