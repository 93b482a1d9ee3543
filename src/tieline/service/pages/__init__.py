"""The dashboard: pages about a campaign for people who do not program, and each of them as JSON."""
