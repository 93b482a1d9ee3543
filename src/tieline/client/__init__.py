"""What a robot imports: a campaign elsewhere, over HTTP. It needs httpx alone, and loads nothing heavy."""
