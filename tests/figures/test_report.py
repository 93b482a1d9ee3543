import re

import pytest
from toy_posterior import toy_posterior

from tieline.figures.report import Chapter, write_report
from tieline.planning.goals import LearnPhaseMap, Maximize
from tieline.planning.pool import default_pool
from tieline.planning.propose import propose


def chapter(title, goal, **settings):
    posterior = toy_posterior(**settings)
    batch = propose(posterior, default_pool(posterior), goal, 3)
    diagnosis = posterior.diagnose().assign_attrs(notes=["1 value was set aside."])
    return Chapter(title, "About <it> & more.", posterior, diagnosis, batch, ("A remark.",))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    chapters = [
        chapter("On a line", Maximize("hardness"), n_inputs=1),
        chapter("A spread", LearnPhaseMap(), composition=True),
    ]
    return write_report(chapters, tmp_path_factory.mktemp("report"), title="Two studies")


def test_report_holds_everything_and_asks_for_nothing(written):
    page = written[0].read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert len(written) - 1 == len(re.findall("<img", page)) == 7
    assert all(s.startswith(("data:image/png;base64,", "#chapter-")) for s in sources)
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)


def test_report_states_verdict_proposals_and_reasons(written):
    page = written[0].read_text(encoding="utf-8")
    for words in (
        "amber",
        "Boundary A-B is known to 0.05.",
        "Label two more.",
        "GPa",
        "Ga (at.%)",
        "A remark.",
    ):
        assert words in page
    assert page.count('<tr class="what">') == page.count('<tr class="why">') == 2 * 3


def test_numbers_are_not_broken_over_lines(written):
    page = written[0].read_text(encoding="utf-8")
    reasons = re.findall(r'<tr class="why"><td[^>]*><div>(.*?)</div>', page)
    assert any("±" in reason for reason in reasons)
    assert not any(re.search(r" ±|± | GPa| %", reason) for reason in reasons)


def test_report_states_what_the_fit_set_aside_once_a_chapter(written):
    page = written[0].read_text(encoding="utf-8")
    assert page.count("<li>1 value was set aside.</li>") == 2


def test_text_of_users_is_escaped(written):
    page = written[0].read_text(encoding="utf-8")
    assert "About &lt;it&gt; &amp; more." in page


def test_figures_stand_beside_the_report(written):
    assert [p.name for p in written[1:4]] == ["1-line.png", "1-proposals.png", "1-calibration.png"]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in written[1:])
