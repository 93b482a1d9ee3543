"""A campaign over HTTP, for robots and for people; `app.create_app` makes the service of one folder."""
