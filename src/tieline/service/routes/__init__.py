"""The routes of the service, one file for each thing that one does; every one of them says what it needs."""
