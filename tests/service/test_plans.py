"""Plans for Bluesky: with an interpreter of our own, and with Bluesky's RunEngine where it is installed."""

import pytest
from robots import hardness

import tieline as tl
from tieline.client.plans import ExperimentFailed, Message, campaign_plan, measuring
from tieline.service.app import create_app
from tieline.service.serving import in_background


class Done:
    """What a device gives back that has nothing more to do."""

    done = success = True

    def add_callback(self, callback):
        callback(self)

    def exception(self, timeout=None):
        return None


class Movable:
    """A furnace or a shelf of substrates."""

    parent = None

    def __init__(self, name):
        self.name, self.value = name, None

    def set(self, value):
        self.value = value
        return Done()

    def read(self):
        return {self.name: {"value": self.value, "timestamp": 0.0}}

    def describe(self):
        kind = "string" if isinstance(self.value, str) else "number"
        return {self.name: {"source": "simulated", "dtype": kind, "shape": []}}

    def read_configuration(self):
        return {}

    def describe_configuration(self):
        return {}


class Indenter(Movable):
    """Measures what the furnace made."""

    def __init__(self, furnace, shelf):
        super().__init__("indenter_load")
        self.furnace, self.shelf = furnace, shelf

    def trigger(self):
        self.value = float(hardness(self.furnace.value, self.shelf.value))
        return Done()


def interpret(plan):
    """Do what a plan says, as a run engine would; returns what it returned, and all messages."""
    messages, answer = [], None
    while True:
        try:
            message = plan.send(answer)
        except StopIteration as end:
            return end.value, messages
        messages.append(message)
        command, device, args, _, _ = message
        deed = getattr(device, command, None)
        answer = deed(*args) if deed else None


@pytest.fixture
def lab(folder):
    with in_background(create_app(folder)) as place, tl.connect(place, by="beamline") as client:
        yield client


def devices():
    furnace, shelf = Movable("furnace"), Movable("shelf")
    return {"temperature": furnace, "substrate": shelf}, Indenter(furnace, shelf)


def test_a_plan_does_what_the_campaign_proposes(lab):
    movables, indenter = devices()
    plan = campaign_plan(lab, measuring(movables, [indenter], {"hardness": "indenter_load"}), 3)
    names, messages = interpret(plan)
    assert [p.name for p in lab.proposals("done")] == names
    for row in lab.specimens():
        assert row["hardness"] == pytest.approx(hardness(row["temperature"], row["substrate"]))
    commands = [message.command for message in messages[: len(messages) // 3]]
    assert commands[0] == "open_run"
    assert commands[-1] == "close_run"
    assert commands.count("set") == 2
    assert messages[0].kwargs["proposal"] == names[0]


def test_what_was_begun_before_a_crash_is_done_first_and_failures_are_told(lab):
    begun = lab.take()

    def experiment(proposal):
        yield Message("sleep", args=(0.0,))
        if proposal.name != begun.name:
            raise ExperimentFailed("beam lost")
        return {"hardness": 5.0}

    names, _ = interpret(campaign_plan(lab, experiment, 2))
    assert names[0] == begun.name
    assert [(p.state, p.why) for p in lab.proposals()] == [("done", ""), ("failed", "beam lost")]


def test_an_instrument_goes_on_with_what_it_took_of_those_for_anybody(lab):
    lab.ask(1)
    begun = lab.take(instrument="furnace-1")
    assert begun.instrument == ""

    def experiment(proposal):
        yield Message("sleep", args=(0.0,))
        return {"hardness": 5.0}

    names, _ = interpret(campaign_plan(lab, experiment, 1, instrument="furnace-1"))
    assert names == [begun.name]
    assert [p.state for p in lab.proposals()] == ["done"]


def test_a_setting_that_nothing_sets_is_told_before_anything_moves(lab):
    movables, indenter = devices()
    del movables["substrate"]
    plan = campaign_plan(lab, measuring(movables, [indenter], {"hardness": "indenter_load"}), 1)
    with pytest.raises(tl.TielineError, match=r"Nothing sets(.|\n)*substrate"):
        interpret(plan)
    assert lab.proposals()[0].state == "claimed"


@pytest.mark.filterwarnings("default")  # those of Bluesky are not ours
def test_the_run_engine_of_bluesky_takes_the_plan(lab):
    bluesky = pytest.importorskip("bluesky", reason="bluesky is not installed")
    movables, indenter = devices()
    documents = []
    engine = bluesky.RunEngine({}, context_managers=[])
    plan = campaign_plan(lab, measuring(movables, [indenter], {"hardness": "indenter_load"}), 2)
    engine(plan, lambda name, document: documents.append((name, document)))
    assert lab.overview()["proposals"] == {"done": 2}
    starts = [document for name, document in documents if name == "start"]
    assert [start["proposal"] for start in starts] == [p.name for p in lab.proposals("done")]
    assert [name for name, _ in documents] == ["start", "descriptor", "event", "stop"] * 2
