"""What a message says, and that its templates never meet anything undefined."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.api import Event, Release, Result, Run, RunState, Template
from duct_tape_notify.harmless import BREAK
from duct_tape_notify.history import News
from duct_tape_notify.message import MESSAGE, SAMPLES, TITLE, compose, duration, sample, variables_of

NEWS = News(state="failed", times=1, since=0.0)


def run(**members: Any) -> Run:
    release = Release(id="1", tag="v1.2.3", url="https://github.com/acme/shop/releases/tag/v1.2.3")
    event = Event(name="release", delivery="d", repository="acme/shop", release=release)
    given: dict[str, Any] = {"event": event, "application": "shop.example.com", **members}
    return Run(id="01a9", instance="github", trigger="deploy", state=RunState.FAILED, **given)


def text(run: Run, news: News = NEWS) -> tuple[str, str]:
    message = compose(Template(TITLE), None, variables_of(run, news, 20), "failure")
    return message.title, message.body


def test_a_failed_deploy() -> None:
    result = Result(
        run="01a9", application="shop.example.com", state="failed", exit_code=1, duration=75.2, output="a\nb"
    )
    assert text(run(result=result, detail="bin/deploy failed")) == (
        "shop.example.com v1.2.3: failed",
        "bin/deploy ended with exit code 1 after 1 min 15 s.\n\n"
        "run 01a9 of acme/shop\nhttps://github.com/acme/shop/releases/tag/v1.2.3\n\nLast lines:\na\nb",
    )


def test_another_program_that_failed() -> None:
    result = Result(run="01a9", application="shop.example.com", state="failed", exit_code=3, output="a")
    _, body = text(run(result=result, detail="/srv/release ended with exit code 3"))
    assert body.startswith("/srv/release ended with exit code 3\n\nrun 01a9")


def test_a_run_that_never_came_to_a_deploy() -> None:
    bare = run(event=Event(name="build", delivery="d"), detail="freeze: not on Fridays")
    assert text(bare) == ("shop.example.com: failed", "freeze: not on Fridays\n\nrun 01a9")


def test_it_says_how_often() -> None:
    _, body = text(run(detail="gone"), News(state="failed", times=3, since=0.0))
    assert body.startswith("gone\nThe same happened 3 times since 1970-01-01 00:00 UTC.\n\nrun")
    _, body = text(run(detail="fine"), News(state="recovered", times=1, since=0.0))
    assert body.startswith("fine\nBefore it, 1 run failed since 1970-01-01 00:00 UTC.\n\nrun")
    _, body = text(run(detail="fine"), News(state="recovered", times=2, since=0.0))
    assert "\nBefore it, 2 runs failed since " in body


def test_a_message_is_never_empty_and_its_title_one_line() -> None:
    variables = variables_of(run(), NEWS, 20)
    message = compose(Template("a\n{{ tag }}  b" + "x" * 300), Template("{{ output }}"), variables, "info")
    assert message.title.startswith("a v1.2.3 bxxx")
    assert len(message.title) == 200
    assert message.body == message.title
    assert compose(Template(""), Template(" "), variables, "info").body == "shop.example.com v1.2.3 failed"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 0 s"), (3725, "1 h 2 min"), (1e8, "27777 h 46 min")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_samples_have_the_variables_of_a_real_run() -> None:
    names = set(variables_of(run(), NEWS, 20))
    assert all(set(values) == names for values in (*SAMPLES, sample(None, None)))
    for values in SAMPLES:
        assert MESSAGE.render(values)


def test_a_test_says_that_it_is_one() -> None:
    message = compose(Template(TITLE), None, sample("blog", "lost"), "info")
    assert message.title == "blog v1.2.3: lost"
    assert message.body.startswith("This is a test: nothing was deployed.")


@given(st.text(), st.text(), st.text(), st.text(), st.none() | st.text(), st.integers(0, 50))
def test_the_default_message_can_say_anything(
    application: str, tag: str, repository: str, output: str, url: str | None, lines: int
) -> None:
    event = Event(name="release", delivery="d", repository=repository, release=Release(id="1", tag=tag or "v", url=url))
    result = Result(run="r", application="a", state="failed", exit_code=1, output=output)
    title, body = text(run(event=event, application=application, result=result, detail=output))
    assert "\n" not in title
    for acting in ("@everyone", "<!", "](", "``"):
        assert acting not in (title + body).replace(BREAK + BREAK, BREAK)
    assert (title + body).encode("utf-8")
