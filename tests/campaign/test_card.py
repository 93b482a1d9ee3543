"""What a notebook shows of a campaign and of what it learned."""

import html.parser
import re

import pytest

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.schema.card import BADGES, card

VILE = '<b>films</b> & "co"'


class Balance(html.parser.HTMLParser):
    """Counts elements that are open."""

    def __init__(self):
        super().__init__()
        self.open, self.kinds = [], set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.kinds.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    about = {"design": ["temperature"], "properties": ["hardness"], "model": "GaussianProcess"}
    folder = tmp_path_factory.mktemp("card") / "films"
    with Campaign.create(folder, Settings(VILE, goal="maximize:hardness", **about)) as found:
        yield found


def test_a_campaign_shows_itself_before_and_after_it_has_learned(campaign):
    before = campaign._repr_html_()
    for place in range(600, 900, 25):
        campaign.tell({"hardness": 6 - ((place - 690) / 100) ** 2}, made={"temperature": float(place)})
    posterior = campaign.fit()
    names = campaign.ask(2)["proposal"].values.tolist()
    after = campaign._repr_html_()
    assert "not yet" in before
    assert "maximize hardness" in after
    assert all(name in after for name in names)
    for text in (before, after, posterior._repr_html_()):
        parser = Balance()
        parser.feed(text)
        assert parser.open == []
        assert parser.kinds <= {"div", "b", "table", "tr", "th", "td", "p", "span", "ul", "li"}
        assert not re.search(r"(src|href|url)\b", text)
    assert "&lt;b&gt;films" in after
    assert "temperature" in posterior._repr_html_()


def test_a_badge_is_readable_on_any_paper():
    for verdict, (colour, _) in BADGES.items():
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in shares]
        light = sum(v * w for v, w in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))
        assert 1.05 / (light + 0.05) > 4.5, verdict
    text = card("x", [], judged={"verdict": "red", "sentence": "<no>", "action": "&"})
    assert "&lt;no&gt; <b>&amp;</b>" in text
    assert not re.search(r"[^-]color:#(?!fff)", text.replace("background:#", "background-#"))
