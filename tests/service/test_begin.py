"""A service of a folder that has no campaign yet: its first page begins one, and nothing else answers."""

import pytest
from server import visiting

from tieline.campaign.campaign import Campaign
from tieline.service.app import create_app


def test_a_campaign_begins_on_the_page_of_an_empty_folder(tmp_path):
    folder = tmp_path / "new"
    with visiting(create_app(folder), accept="text/html") as client:
        assert client.get("/").headers["location"] == "/begin"
        assert client.get("/next").headers["location"] == "/begin"
        assert client.get("/v1/proposals", headers={"accept": "*/*"}).json()["error"] == "Conflict"
        assert client.post("/v1/ask", json={}, headers={"accept": "*/*"}).status_code == 409
        assert str(folder) in client.get("/begin").text
        assert not folder.exists()
        begun = client.post("/begin", data={"name": "Hard alloys", "by": "Anna"})
        assert begun.headers["location"].startswith("/data?said=")
        assert client.get("/overview.json").json()["campaign"] == "Hard alloys"
        assert client.get("/begin").headers["location"] == "/"
        assert client.post("/begin", data={"name": "Again"}).status_code == 422
    with Campaign.open(folder) as campaign:
        assert campaign.settings.name == "Hard alloys"


@pytest.mark.parametrize("name", ["a" * 81, "two\x7flines"])
def test_a_campaign_does_not_begin_under_a_name_that_is_none(tmp_path, name):
    with visiting(create_app(tmp_path / "new"), accept="text/html") as client:
        assert client.post("/begin", data={"name": name}).status_code == 422
    assert not (tmp_path / "new").exists()
