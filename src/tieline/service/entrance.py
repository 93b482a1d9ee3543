"""Where a person shows a token once, so that the browser remembers it."""

from html import escape

from fastapi.responses import HTMLResponse

from tieline.errors import TielineError

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>tieline</title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 15vh auto; padding: 0 1rem }
  input, button { font: inherit; padding: .4rem .6rem; width: 100%%; box-sizing: border-box }
</style>
<h1>tieline</h1>
<p>%s</p>
<form method="post" action="/enter">
  <label>Token <input name="token" type="password" autocomplete="current-password" required autofocus></label>
  <button>Enter</button>
</form>
<p>Whoever runs this service makes one: <code>tieline token FOLDER NAME</code></p>
</html>
"""


def entrance(error: TielineError) -> HTMLResponse:
    """The page that asks for a token."""
    return HTMLResponse(PAGE % escape(error.what), 401)


def cookie_name(host: str) -> str:
    """The name of the cookie: of each port its own, as browsers do not tell ports apart."""
    return f"tieline-{host.rpartition(':')[2]}" if host.rpartition(":")[2].isdecimal() else "tieline"
