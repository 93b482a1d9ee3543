"""Events to tell a store, as a campaign would write them."""


def proposing(*names, place=None, measures=""):
    one = {"measures": measures, "instrument": "", "about": {}}
    return {
        "attrs": {"temperature": {"units": "degC"}},
        "proposals": [
            {"name": n, "place": place or n, "design": {"temperature": 700.0 + i}, **one}
            for i, n in enumerate(names)
        ],
    }


def claiming(name, by="robot"):
    return {"proposal": name, "claimed_by": by, "lease_until": "2026-01-01T00:00:00.000000Z"}


def moving(*names, state, why=""):
    return {"proposals": list(names), "state": state, "why": why}


def telling(specimen, value, proposal="", state="done", **more):
    result = {"property": "hardness", "value": value, "label": None, "sd": None, "flag": "ok", "unit": "GPa"}
    about = {"asked": {}, "made": {"temperature": 701.0}, "attrs": {"temperature": {"units": "degC"}}}
    return {
        "specimen": specimen,
        "proposal": proposal,
        "state": state if proposal else "",
        "why": "",
        **about,
        "results": [{**result, **more}],
    }


def undoing(number):
    return {"event": number, "why": "a slip", "record": None, "changes_data": True}


def importing(name, record, *, replaces="", done=()):
    about = {"file": f"{name}.csv", "sheet": "", "replaces": replaces, "done": list(done)}
    return {"name": name, "record": record, **about}


def fitting(name, data=0):
    return {"fit": name, "data": data, "about": {"seed": 0}}


def ending(name, state, posterior=""):
    return {"fit": name, "state": state, "posterior": posterior, "outcome": {"verdict": "green"}}


def a_campaign(store):
    """One of everything."""
    store.write("created", {"name": "steel"}, by="ada")
    store.write("imported", importing("a", "r1"))
    store.write("fit_started", fitting("f1", data=2))
    store.write("fit_ended", ending("f1", "done", "p1"))
    store.write("proposed", proposing("P1", "P2", "P3"), key="ask-1")
    store.write("claimed", claiming("P1"))
    store.write("renewed", {"proposal": "P1", "state": "running", "lease_until": "2026-01-02"})
    store.write("told", telling("P1", 5.0, "P1"), key="tell-1")
    store.write("claimed", claiming("P2"))
    store.write("moved", moving("P2", state="failed", why="cracked"))
    store.write("moved", moving("P3", state="abandoned"))
    store.write("attached", {"name": "x.xy", "sha256": "0" * 64, "specimen": "P1", "proposal": "P1"})
    store.write(
        "studied", {"study": "spectra", "deed": "left_out", "name": "x.xy", "of": "0" * 64, "made": ""}
    )
    for name in ("robot", "guest"):
        store.write("token_added", {"name": name, "role": "propose", "sha256": name})
    store.write("token_revoked", {"name": "guest"})
    slip = store.write("told", telling("P9", 99.0))
    store.write("undone", undoing(slip.number))
    store.write("imported", importing("b", "r2", done=["P2"]))
